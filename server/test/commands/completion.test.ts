// The completion scripts in the shells they are for, as far as these are installed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bin, run } from './cli.ts'

/** What a shell offers for a line whose last word is being typed; descriptions are cut off. */
type Complete = (script: string, line: string[]) => Promise<string[]>

const words = (stdout: string) => stdout.split('\n').filter((word) => word !== '')

const shells: Record<string, Complete> = {
  async bash(script, line) {
    const code = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ringback; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await run('bash', ['--norc', '-uc', code, 'bash', ...line])
    assert.equal(stderr, '')
    return words(stdout)
  },
  async zsh(script, line) {
    // What zsh has inside its line editor only.
    const editor =
      'compdef() { }; compadd() { shift; print -rl -- "$@" }; _describe() { print -rl -- "${(@)${(@P)2}%%:*}" }; _files() { print folders }\n'
    const code = `${editor}${script}\nwords=("$@"); CURRENT=$#; _ringback`
    const { stdout } = await run('zsh', ['-fc', code, 'zsh', ...line])
    const typed = line.at(-1) ?? ''
    return words(stdout).filter((word) => word.startsWith(typed))
  },
  async fish(script, line) {
    const code = `${script}\ncomplete -C '${line.join(' ')}'`
    const { stdout, stderr } = await run('fish', ['--no-config', '-c', code])
    assert.equal(stderr, '')
    return words(stdout).map((word) => word.split('\t')[0] ?? '')
  },
}

const rows: [line: string[], offered: string[], not: string[]][] = [
  [[''], ['dev', 'serve', 'config', 'task', 'completion'], ['create', '--help']],
  [['ta'], ['task'], ['dev']],
  [
    ['task', ''],
    ['create', 'get', 'show', 'await'],
    ['task', 'revoke', '--json'],
  ],
  [['task', 'a'], ['await', 'audit'], ['create']],
  [['config', ''], ['list'], ['create']],
  [
    ['task', 'list', '--'],
    ['--status', '--json', '--quiet', '--url', '--help'],
    ['--verdict', '--mode'],
  ],
  [
    ['task', 'list', '--status', ''],
    ['pending', 'expired'],
    ['--json', 'list'],
  ],
  [['task', 'audit', 'some-id', '--verdict', ''], ['approved', 'rejected', 'fixed'], ['audit']],
  [
    ['key', 'create', 'task', '--mode', ''],
    ['live', 'test'],
    ['create', 'list'],
  ],
  [['project', 'create', '--name', ''], [], ['create', '--json', 'task']],
  [['completion', ''], ['bash', 'zsh', 'fish'], ['task']],
  [['serve', '--po'], ['--port'], ['--url']],
]

for (const [shell, complete] of Object.entries(shells)) {
  test(`${shell} offers what can be typed`, async (t) => {
    if ((await run(shell, ['--version'])).code !== 0) return t.skip(`${shell} is not installed`)
    const { code, stdout: script } = await run(process.execPath, [bin, 'completion', shell])
    assert.equal(code, 0)
    for (const [line, offered, not] of rows) {
      const found = await complete(script, ['ringback', ...line])
      const what = `${line.join(' ')}: ${found.join(' ')}`
      for (const word of offered) assert.ok(found.includes(word), `${word} is missing of ${what}`)
      for (const word of not) assert.ok(!found.includes(word), `${word} is in ${what}`)
    }
  })
}

test('a shell that there is no script for is wrong usage', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [bin, 'completion', 'tcsh'])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^ringback: SHELL is one of bash, zsh, fish; .*\n$/)
})
