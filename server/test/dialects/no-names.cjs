// Preloaded into a server under test: no name resolves, so that callbacks to the example addresses of other people's tests never
// leave this machine.
'use strict'
const { Resolver } = require('node:dns/promises')

const missing = async (name) => {
  throw Object.assign(new Error(`${name} is not looked up in tests`), { code: 'ENOTFOUND' })
}
Resolver.prototype.resolve4 = missing
Resolver.prototype.resolve6 = missing
