// The page at / of `dev`: where to go from here.

/** The page as HTML. */
export const devPage = (): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ringback</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>Ringback</h1>
<p>This server is running. Its keys and the first commands to try stand in the terminal that started it.</p>
<ul>
<li><a href="/docs">API documentation</a> (<a href="/openapi.json">OpenAPI</a>)</li>
<li><a href="/metrics">Metrics</a>, <a href="/healthz">health</a>, <a href="/readyz">readiness</a></li>
</ul>
</html>
`
