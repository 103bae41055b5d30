// Writes docs/configuration.md from the table of settings. With --check it writes nothing and says whether the file is what
// it would write; only the prose is kept here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { clientSettings, flagOf, settingNames, settings } from '../server/src/config.ts'

const FILE = new URL('../docs/configuration.md', import.meta.url)

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

type Row = { env: string; form: string; fallback: string | null; doc: string; required?: string }

function row([name, { env, form, fallback, doc, required }]: [name: string, setting: Row]): string {
  const usual =
    required !== undefined ? 'required by `serve`' : fallback === '' ? 'none' : code(fallback ?? 'none')
  return `| ${code(`--${flagOf(name)}`)} | ${code(env)} | ${code(form)} | ${usual} | ${doc.replaceAll('|', '\\|')} |`
}

const required = settingNames.flatMap((name) => {
  const { env, required: what } = settings[name]
  return what === undefined ? [] : `- ${code(env)}: ${what}`
})

const page = `<!-- Written by .ci/configuration.ts from server/src/config.ts; change it there. -->
# Configuration

Every setting is a flag of the command and an environment variable. A flag goes before the variable, the variable before the
default. A variable that begins with \`RINGBACK_\` and is no setting is an error, so that a typing mistake is not lost; a value
that is not valid is one, too. Both end the program with one sentence and status 2. There is no configuration file.

\`\`\`sh
npx ringback config list
\`\`\`

shows the settings that would hold, and for each whether it comes from a flag, the environment or the default. Secrets are not
shown. With \`--json\` it prints JSON; \`npx ringback serve --help\` lists the flags.

## Settings

| flag | variable | type | default | meaning |
| --- | --- | --- | --- | --- |
${Object.entries(settings).map(row).join('\n')}

## Settings of the commands that call a server

| flag | variable | type | default | meaning |
| --- | --- | --- | --- | --- |
${Object.entries(clientSettings).map(row).join('\n')}

They also read \`RINGBACK_ADMIN_KEY\` and \`RINGBACK_DATA\`; [the command line](cli.md) tells which of them uses what. A server
allows the two above in its environment and does not read them.

## \`ringback dev\`

Nothing is required. What \`serve\` requires, \`dev\` makes up: it keeps a sealing key and an admin key in the data folder and takes
its own address as public URL. It also allows loopback addresses as destinations, which \`serve\` does only when told.

\`\`\`sh
RINGBACK_PORT=8080 npm start
\`\`\`

\`\`\`sh
npx ringback dev --port 8080 --data /tmp/ringback-trial
\`\`\`

## \`ringback serve\`

Three settings have no default and must be given:

${required.join('\n')}

Make the two keys once and keep them: without its sealing key nobody can read the signing secrets in the database again. For the
same reason \`serve\` needs a data folder of its own: the one of \`dev\` is sealed with another key.

\`\`\`sh
export RINGBACK_SECRET_KEY=$(openssl rand -base64 32)
export RINGBACK_ADMIN_KEY=$(openssl rand -hex 32)
export RINGBACK_PUBLIC_URL=https://callbacks.example.com
export RINGBACK_DATA=$HOME/ringback-data
npx ringback serve
\`\`\`

To change \`RINGBACK_SECRET_KEY\`, start with the new key and with the one before as \`RINGBACK_SECRET_KEY_OLD\`, then run
[\`ringback secrets rotate\`](cli.md#secrets). A key that does not open what is in the database is refused before anything is written.

It warns of a public URL that is plain \`http\`, and of an opened \`RINGBACK_EGRESS_ALLOW\`. Behind a proxy, name the proxy, or
every provider counts as one address in the limit of inbound callbacks:

\`\`\`sh
RINGBACK_TRUST_PROXY=127.0.0.1,10.0.0.0/8 npx ringback serve
\`\`\`

\`migrate\` takes \`--data\` only and ends when the database has the schema of this program; \`serve\` and \`dev\` do the same at every
start.

\`\`\`sh
npx ringback migrate
\`\`\`
`

if (!process.argv.includes('--check')) writeFileSync(FILE, page)
else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== page) {
  console.error(
    'docs/configuration.md is not what server/src/config.ts says: run `node .ci/configuration.ts`',
  )
  process.exitCode = 1
}
