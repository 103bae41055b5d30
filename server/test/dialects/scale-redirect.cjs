// Preloaded beside Scale's own Node client, which has its host as a private constant: sends what it would send there to
// SCALE_BASE_URL. The client itself stays as it was published.
'use strict'
const { dirname } = require('node:path')
// The client's own copy of its HTTP library.
const request = require(require.resolve('request', { paths: [dirname(require.resolve('scaleapi'))] }))

const base = process.env.SCALE_BASE_URL.replace(/\/*$/, '/')
for (const verb of ['get', 'post']) {
  const real = request[verb]
  request[verb] = (options, done) =>
    real.call(request, { ...options, url: options.url.replace('https://api.scaleapi.com/v1/', base) }, done)
}
