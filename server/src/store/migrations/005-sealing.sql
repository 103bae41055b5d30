-- The first characters of a sealed text tell its key (store/cipher.ts), so what another key has sealed is found at once.
create index secrets_sealing on secrets (substr(value, 1, 20));
create index idempotency_keys_sealing on idempotency_keys (substr(answer, 1, 20));

-- A secret is deleted when its grace is over.
create index secrets_expiry on secrets (expires_at) where expires_at is not null;
