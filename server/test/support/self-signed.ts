// Self-signed certificates for receiver.test and 127.0.0.1, trusted by nobody. The one that is valid for a century was made by
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=receiver.test
//   -addext subjectAltName=DNS:receiver.test,IP:127.0.0.1

/** The certificate and its private key, in PEM. */
export const selfSigned = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBqDCCAU2gAwIBAgIUZyHFxd6NrLE0Y8aUvgGVa5Z63nkwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDAgFw0yNjExMjEwNDI1NTVaGA8yMTI2
MTAyODA0MjU1NVowGDEWMBQGA1UEAwwNcmVjZWl2ZXIudGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABNZOjWD4wiCNvLDSdP2epKJKDFWA9TFJoplKh/rb/hyU
DwD9PXeRKzVB7rKvBzcD2f/XJxOxJ/dmfIPwbD17aZ6jczBxMB0GA1UdDgQWBBTu
DsryOiFainYple7qvzQbsGsbUDAfBgNVHSMEGDAWgBTuDsryOiFainYple7qvzQb
sGsbUDAPBgNVHRMBAf8EBTADAQH/MB4GA1UdEQQXMBWCDXJlY2VpdmVyLnRlc3SH
BH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAIcxrI4pSavI+VkXU6CL3i3FUdsZ+X5z
pk1Lv3NBqAVJAiEAu8GEectYFvbaLw3pF2vHUhaobU8NH16doN5/W28q23E=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3dOe8PvVCTOSlhT9
4nT3gV/uCJiHbKbBmCzqAi5pxsGhRANCAATWTo1g+MIgjbyw0nT9nqSiSgxVgPUx
SaKZSof62/4clA8A/T13kSs1Qe6yrwc3A9n/1ycTsSf3ZnyD8Gw9e2me
-----END PRIVATE KEY-----`,
}

/** One that was valid in January 2020 only, made by `openssl ca -selfsign` with these dates. */
export const expired = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBcDCCARegAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1yZWNlaXZl
ci50ZXN0MB4XDTIwMDEwMTAwMDAwMFoXDTIwMDIwMTAwMDAwMFowGDEWMBQGA1UE
AwwNcmVjZWl2ZXIudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJpcYvpb
5ue6FfzFub9zX9muA9f4GovUeYRYvDXWXeny/L5F/+qwXtb6sJ47ssbcX5c+uFiN
W+QQdOC2bkxshJCjUjBQMB4GA1UdEQQXMBWCDXJlY2VpdmVyLnRlc3SHBH8AAAEw
DwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUYd6Z2TIRm3Je27QRwGyqsJoVPGsw
CgYIKoZIzj0EAwIDRwAwRAIgVMqoGED/EJb1XakO6RGQtyL0HLOxAODKQjQQEIdE
q10CIB4lfUgBWsgXWptkg9ItkYZ/Ebm0t1x6GzkwiWPJuLn+
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ8j9ir0e0H79gyro
3KpfVl3IDFVopuQL7iFpA8EFdqChRANCAASaXGL6W+bnuhX8xbm/c1/ZrgPX+BqL
1HmEWLw11l3p8vy+Rf/qsF7W+rCeO7LG3F+XPrhYjVvkEHTgtm5MbISQ
-----END PRIVATE KEY-----`,
}
