// A self-signed certificate for receiver.test and 127.0.0.1, valid for a century, trusted by nobody. Made by
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
