// The commands that call a running server, as a table: what is typed, how it ends, and what it prints.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { bin, run, startDev } from './cli.ts'

type Row = [command: string[], code: number, stdout: RegExp | string, stderr?: RegExp | string]

const NOBODY = 'http://127.0.0.1:9'

test('the commands do what they say, with the exit status they should', async (t) => {
  const { ringback, dev, data } = await startDev(t)

  const must = async (...command: string[]) => {
    const { code, stdout, stderr } = await ringback(command)
    assert.equal(code, 0, stderr)
    return stdout.trimEnd()
  }
  const createTask = (...flags: string[]) => must('task', 'create', '--quiet', ...flags)
  const check = async ([command, code, stdout, stderr = '']: Row, env = {}) => {
    const ended = await ringback(command, env)
    const what = `ringback ${command.join(' ')}\n${ended.stdout}${ended.stderr}`
    assert.equal(ended.code, code, what)
    const matches = (text: string, wanted: RegExp | string) =>
      typeof wanted === 'string' ? assert.equal(text, wanted, what) : assert.match(text, wanted, what)
    matches(ended.stdout, stdout)
    matches(ended.stderr, stderr)
  }

  /** A receiver that fails so often, and wants to be asked again much later than any test takes. */
  const failing = async (times: number) => {
    let failed = 0
    const { url } = await using(
      t,
      startReceiver((_request, response) => {
        if (++failed > times) return void response.end()
        response.writeHead(500, { 'retry-after': '3600' }).end('{"error":"failing"}')
      }),
    )
    return url
  }

  await t.test('every verb of a task moves it', async () => {
    const [worked, awaited, failed, halted, late] = await Promise.all(
      Array.from({ length: 5 }, () => createTask('--type', 'label')),
    )
    const verbs: Row[] = [
      [['task', 'get', worked!], 0, /^type +label\nstatus +waiting$/m],
      [['task', 'start', worked!], 0, /^status +processing$/m],
      [['task', 'complete', worked!, '--response', '{"label":"cat"}'], 0, /^response +\{"label":"cat"\}$/m],
      [['task', 'edit', worked!, '--response', '"dog"'], 0, /^response +"dog"$/m],
      [
        ['task', 'audit', worked!, '--verdict', 'rejected', '--comments', 'no dog'],
        0,
        /^audit_status +rejected$/m,
      ],
      [
        ['task', 'audit', worked!, '--verdict', 'fixed', '--response', '7'],
        0,
        /^audit_status +fixed$[^]*^response +7$/m,
      ],
      [['task', 'recall', worked!, '--reason', 'again'], 0, /^status +pending$/m],
      [['task', 'await', awaited!, '--expires-in-s', '60'], 0, /^resolve_url +http\S+[0-9a-f]{64}$/m],
      [['task', 'cancel', awaited!, '--reason', 'no need'], 0, /^status +canceled$/m],
      [['task', 'restart', awaited!], 0, /^status +pending$/m],
      [
        [
          'task',
          'fail',
          failed!,
          '--message',
          'no luck',
          '--code',
          'E1',
          '--details',
          '[1.0]',
          '--during',
          'setup',
        ],
        0,
        /^error +\{"message":"no luck","code":"E1","details":\[1\.0\]\}$/m,
      ],
      [['task', 'suspend', halted!, '--reason', 'wait'], 0, /^status +suspended$/m],
      [['task', 'resume', halted!], 0, /^status +waiting$/m],
      [['task', 'expire', late!], 0, /^status +expired$/m],
      [['task', 'resend', late!], 0, /^event +task\.expired$/m],
      [['task', 'get', worked!, '--wait', '0', '--json'], 0, /^\{"id":.*\}\n$/],
      [
        ['task', 'complete', late!, '--response', '1'],
        1,
        '',
        /^ringback: complete does not apply to a task that is expired; .* \(invalid_transition\)\n$/,
      ],
    ]
    for (const row of verbs) await check(row)
  })

  await t.test('JSON goes to the server and comes back letter by letter', async () => {
    const json = '{"b":1950000000000000001,"a":1.0,"2":1E400,"1":"\\u00e9 \\/","a":-0}'
    const id = await createTask('--params', json, '--metadata', '{"n":0.10}')
    await must('task', 'complete', id, '--response', json)
    for (const shown of [await must('task', 'get', id), await must('task', 'get', id, '--json')]) {
      assert.equal(shown.split(json).length, 3, shown)
      assert.ok(shown.includes('{"n":0.10}'), shown)
    }
  })

  await t.test('lists show tables, JSON or ids, a page at a time', async () => {
    const first = await createTask('--type', 'page', '--unique-id', 'page-1')
    const second = await createTask('--type', 'page')
    const rows: Row[] = [
      [['task', 'list', '--type', 'page', '--quiet'], 0, `${second}\n${first}\n`],
      [['task', 'list', '--unique-id', 'page-1', '--quiet'], 0, `${first}\n`],
      [
        ['task', 'list', '--type', 'page'],
        0,
        new RegExp(`^ID +STATUS +TYPE +CREATED\n${second}  waiting  page .*\n${first}`),
      ],
      [['task', 'list', '--type', 'page', '--limit', '1', '--quiet'], 0, `${second}\n`],
      [['task', 'list', '--type', 'page', '--json'], 0, /^\{"data":\[\{"id":.*"next_cursor":null\}\n$/],
      [['task', 'list', '--type', 'nothing'], 0, '', 'There are none.\n'],
      [['task', 'list', '--type', 'nothing', '--quiet'], 0, ''],
    ]
    for (const row of rows) await check(row)
    const { stderr } = await ringback(['task', 'list', '--type', 'page', '--limit', '1'])
    const [, cursor] = /^There are more: --cursor (\S+)\n$/.exec(stderr) ?? []
    await check([['task', 'list', '--type', 'page', '--cursor', cursor!, '--quiet'], 0, `${first}\n`])
  })

  await t.test('deliveries are listed, shown with their attempts, sent again and given up', async () => {
    const id = await createTask('--callback-url', await failing(9))
    await must('task', 'complete', id, '--response', '1')
    const delivery = await must('delivery', 'list', '--task-id', id, '--quiet')
    for (let shown = ''; !shown.includes('ATTEMPT');) shown = await must('delivery', 'get', delivery)
    const rows: Row[] = [
      [
        ['delivery', 'list', '--task-id', id],
        0,
        /^ID +STATE +EVENT +TRIED +NEXT +TO\n\S+ +pending +task\.completed +1 +in /,
      ],
      [['delivery', 'list', '--task-id', id, '--state', 'delivered'], 0, '', 'There are none.\n'],
      [
        ['delivery', 'get', delivery],
        0,
        /^1 +\S+Z +500 +\d+ ms +\{"error":"failing"\}\n\nAttempts to come, as long as they fail:\n(  \S+Z \(in .*\)\n){20}$/m,
      ],
      [['delivery', 'cancel', delivery], 0, /^state +canceled$/m],
      [['delivery', 'cancel', delivery], 1, '', /^ringback: .* \(invalid_transition\)\n$/],
      [['delivery', 'resend', delivery], 0, /^resend +true$/m],
    ]
    for (const row of rows) await check(row)
  })

  await t.test('what was given up is replayed, and one can look again at how far that is', async () => {
    const id = await createTask('--type', 'again', '--callback-url', await failing(1))
    await must('task', 'complete', id, '--response', '1')
    const delivery = await must('delivery', 'list', '--task-id', id, '--quiet')
    for (let shown = ''; !shown.includes('ATTEMPT');) shown = await must('delivery', 'get', delivery)
    const from = (JSON.parse(await must('delivery', 'get', delivery, '--json')) as { created_at: string })
      .created_at
    await must('delivery', 'cancel', delivery)
    const replay = ['delivery', 'replay', '--state', 'canceled', '--from', from]
    const done = /^id +\S{36}\nstate +done\n[^]*^count +1\nreplayed +1\nskipped +0\n/m
    const rows: Row[] = [
      [[...replay, '--dry-run'], 0, '1 event would be sent again.\n'],
      [[...replay, '--dry-run', '--json'], 0, '{"id":null,"state":"dry_run","count":1}\n'],
      [
        replay,
        0,
        done,
        /^Sending 1 event again\. .*: ringback replay watch \S{36}\n(0 of 1 \(0 %\)\n)?1 of 1 \(100 %\)\n$/,
      ],
      [replay, 0, '', 'Nothing matches.\n'],
      [[...replay, '--json'], 0, /^\{"id":"\S{36}","state":"done",.*"count":0,.*\}\n$/],
      [['replay', 'get', 'none'], 1, '', /\(not_found\)\n$/],
      [['replay', 'watch', 'none'], 1, '', /\(not_found\)\n$/],
      [['replay', 'watch', '..'], 2, '', /'\.\.' is no id/],
      [['delivery', 'replay', '--state', 'pending'], 2, '', /--state is not valid: use delivered, failed, /],
      [['delivery', 'replay', '--from', 'monday'], 1, '', /^ringback: from: must be a time .*\n$/],
    ]
    for (const row of rows) await check(row)
    for (let shown = ''; !/delivered/.test(shown);) shown = await must('delivery', 'list', '--task-id', id)
    const other = await must(...replay, '--quiet')
    await check([['replay', 'get', other], 0, /^state +done$/m])
    await check([['replay', 'watch', other, '--json'], 0, /^\{"id":.*"count":0,.*\}\n$/])
  })

  await t.test(
    'the story of a task is told, with the very numbers, for people and for programs',
    async () => {
      const id = await createTask('--params', '{"n":1950000000000000001}', '--callback-url', await failing(9))
      await must('task', 'complete', id, '--response', '[1.0]')
      await must('task', 'audit', id, '--verdict', 'rejected', '--comments', 'no')
      for (let told = ''; !told.includes('attempt 1 ');) told = await must('task', 'show', id)
      const told = [
        `task ${id}\ncompleted, rejected\ntask, live mode\nresponse \\[1\\.0\\]\n`,
        '● created\n +params {"n":1950000000000000001}\n',
        '● task\\.completed\n',
        '→ task\\.completed goes to \\S+\n +delivery \\S{36}\n',
        '✗ attempt 1 of task\\.completed: answered 500 in .*\n +{"error":"failing"}\n',
        '● task\\.audit\\.rejected\n +{"verdict":"rejected","comments":"no"}\n',
        '→ task\\.audit\\.rejected goes to \\S+: held until .*\n',
        'Still to come:\n.* ○ attempt 2 of task\\.completed\n.* ○ attempt 3 of task\\.completed, if needed\n',
      ]
      await check([['task', 'show', id], 0, new RegExp(told.join('[^]*'))])
      const json = await must('task', 'show', id, '--json')
      assert.ok(json.includes('{"n":1950000000000000001}') && json.includes('[1.0]'), json)
      const { events, deliveries } = JSON.parse(json) as {
        events: object[]
        deliveries: { plan: string[] }[]
      }
      assert.deepEqual([events.length, deliveries.length], [2, 2])
      assert.equal(deliveries[1]!.plan.length, 20)
      await check([
        ['task', 'show', 'none'],
        1,
        '',
        'ringback: There is no task none for this key (not_found)\n',
      ])
    },
  )

  await t.test('a kept request that came at the wrong time is applied by hand', async () => {
    const created = JSON.parse(await must('task', 'create', '--json')) as { id: string; resolve_url: string }
    await must('task', 'suspend', created.id)
    const early = await fetch(created.resolve_url, { method: 'POST', body: '{"n":1.0}' })
    assert.equal(early.status, 409)
    const answer = await fetch(`${dev.base_url}/v1/tasks/${created.id}/arrivals`, {
      headers: { authorization: `Bearer ${dev.live_key}` },
    })
    const { data: arrivals } = (await answer.json()) as { data: { id: string }[] }
    await check([
      ['arrival', 'apply', arrivals[0]!.id],
      0,
      /^status +completed$[^]*^response +\{"n":1\.0\}$/m,
    ])
    await check([['arrival', 'apply', 'none'], 1, '', /\(not_found\)\n$/])
  })

  await t.test(
    'a value for the vault is read from standard input, and a request names its token',
    async () => {
      const made = await ringback(['token', 'create', '--name', 'inbox', '--quiet'], {}, 'Key a b\n')
      assert.equal(made.code, 0, made.stderr)
      const token = made.stdout.trimEnd()
      assert.match(token, /^tok_[0-9a-f]{32}$/)
      const request = JSON.stringify({
        url: `${dev.base_url}/healthz`,
        method: 'GET',
        headers: { 'x-key': token },
      })
      const id = await createTask('--request', request)
      const rows: Row[] = [
        [['token', 'list'], 0, new RegExp(`^ID +NAME +CREATED\n${token} +inbox `)],
        [['task', 'get', id, '--wait', '20'], 0, /^status +completed$/m],
        [['task', 'show', id], 0, /✓ attempt 1, the request: answered 200 in /],
        [['token', 'revoke', token], 0, /^revoked_at +\d/m],
        [['token', 'list'], 0, '', 'There are none.\n'],
        [['task', 'create', '--request', request], 1, '', /there is no token .*\(invalid_request\)\n$/],
        [['token', 'create', '--name', 'empty'], 2, '', /the value is read from standard input: printf/],
        [['task', 'create', '--poll', '{"provider":"fal"}'], 1, '', /poll: needs a request/],
      ]
      for (const row of rows) await check(row)
    },
  )

  await t.test('an administrator makes projects and keys, and a revoked key opens nothing', async () => {
    const project = await must('project', 'create', '--name', 'second', '--quiet')
    const key = JSON.parse(await must('key', 'create', project, '--mode', 'test', '--json')) as {
      id: string
      key: string
    }
    const rows: Row[] = [
      [
        ['project', 'create', '--name', 'third'],
        0,
        /^name +third$[^]*^live_key +rb_live_\w+$[^]*keep them\.\n$/m,
      ],
      [['project', 'list'], 0, new RegExp(`^${project} +second +native +`, 'm')],
      [['project', 'show'], 0, /^name +default$/m],
      [['project', 'show', '--key', key.key], 0, /^name +second$/m],
      [['key', 'list', project], 0, new RegExp(`^${key.id} +test +customer `, 'm')],
      [['key', 'list', 'none'], 1, '', 'ringback: There is no project none (not_found)\n'],
      [['key', 'revoke', project, key.id], 0, 'Revoked.\n'],
      [['project', 'show', '--key', key.key], 1, '', /\(unauthorized\)\n$/],
      [['project', 'list', '--key', dev.live_key], 1, '', /\(unauthorized\)\n$/],
    ]
    for (const row of rows) await check(row)
  })

  await t.test('a key is made with scopes and an end, and what was done is listed', async () => {
    const project = await must('project', 'create', '--name', 'audited', '--quiet')
    const flags = ['--name', 'reader', '--scopes', 'tasks:read,deliveries', '--expires-in-s', '3600']
    const made = await must('key', 'create', project, ...flags, '--json')
    const { id, key } = JSON.parse(made) as { id: string; key: string }
    const rows: Row[] = [
      [['task', 'list', '--key', key], 0, '', /none/],
      [
        ['task', 'create', '--key', key],
        1,
        '',
        /scope tasks:write: this key has tasks:read, deliveries; .*\(insufficient_scope\)\n$/,
      ],
      [
        ['key', 'list', project],
        0,
        new RegExp(
          `^${id} +live +customer +reader +tasks:read,deliveries +rb_live_\\w+ .* in (60|59) min`,
          'm',
        ),
      ],
      [['key', 'create', project, '--scopes', 'tasks'], 1, '', /scopes.*tasks:read.*\(invalid_request\)\n$/],
      [['key', 'create', project, '--expires-in-s', 'soon'], 2, '', /--expires-in-s is not valid/],
      [
        ['audit', 'list', '--project', project],
        0,
        /^WHEN +ACT +BY +FROM +PROJECT +MODE +OBJECT +DETAIL\n.* key\.create +admin +127\.0\.0\.1 .*role=customer name=reader scopes=\["tasks:read","deliveries"\] expires_at=\S+\n.* project\.create +admin .*\n$/,
      ],
      [
        ['audit', 'list', '--project', project, '--act', 'key.create', '--json'],
        0,
        new RegExp(
          `^\\{"data":\\[\\{"id":"[^}]*"object":"${id}",[^\\]]*\\][^\\]]*\\],"next_cursor":null\\}\\n$`,
        ),
      ],
      [['audit', 'list', '--until', '2020-01-01T00:00:00Z'], 0, '', /none/],
      [['audit', 'list', '--act', 'none'], 2, '', /--act is not valid: use project\.create/],
      [['audit', 'list', '--key', key], 1, '', /\(unauthorized\)\n$/],
    ]
    for (const row of rows) await check(row)
    const all = JSON.parse(await must('audit', 'list', '--limit', '100', '--json')) as {
      data: { act: string; actor: string; project_id: string }[]
    }
    const born = all.data.find(({ actor }) => actor === 'dev')
    assert.deepEqual([born?.act, born?.project_id], ['project.create', dev.project_id])
  })

  await t.test(
    'an operator sees the secrets of a project and rotates them, a customer does not',
    async () => {
      const rows: Row[] = [
        [
          ['project', 'show', '--secrets'],
          0,
          /^name +default$[^]*\n\nKIND +MODE +VALUE\ncallback_auth +live +rb_auth_live_\w+\nsigning +both +whsec_\S+\n$/m,
        ],
        [
          ['project', 'rotate', '--which', 'signing', '--grace-s', '3600'],
          0,
          /^value +whsec_\S+$[^]*^older_expire_at .* \(in 60 min\)$/m,
        ],
        [
          ['project', 'show', '--secrets'],
          0,
          /^KIND +MODE +VALUE +ENDS\nsigning +both +whsec_\S+\ncallback_auth .*\nsigning +both +whsec_\S+ +in /m,
        ],
        [
          ['project', 'show', '--secrets', '--json'],
          0,
          /^\{"project":\{"id":.*\},"secrets":\[\{"id":.*\}\]\}\n$/,
        ],
        [
          ['project', 'rotate', '--which', 'callback_auth', '--grace-s', '0', '--json'],
          0,
          /"value":"rb_auth_live_/,
        ],
        [
          ['project', 'rotate', '--which', 'callback_auth', '--key', dev.live_key],
          1,
          '',
          /operator key .*\(insufficient_scope\)\n$/,
        ],
        [
          ['project', 'show', '--secrets', '--key', dev.live_key],
          1,
          '',
          /operator key .*\(insufficient_scope\)\n$/,
        ],
        [
          ['project', 'rotate', '--which', 'all'],
          2,
          '',
          /--which is not valid: use signing, callback_auth\n$/,
        ],
        [['project', 'rotate'], 2, '', /--which is missing: /],
        [
          ['project', 'show', '--secrets', '--url', NOBODY],
          2,
          '',
          /no key for .* is known: set RINGBACK_KEY, or give --key\n$/,
        ],
      ]
      for (const row of rows) await check(row)
    },
  )

  await t.test('server and keys come from flags, then the environment, then dev.json', async () => {
    const elsewhere = { RINGBACK_DATA: `${data}/none` }
    const url = { RINGBACK_URL: dev.base_url }
    await check(
      [
        ['project', 'show'],
        2,
        '',
        /^ringback: no server is known: start `ringback dev`, or set RINGBACK_URL .*\n$/,
      ],
      elsewhere,
    )
    await check([['project', 'show', '--data', data], 0, /default/], elsewhere)
    await check([['project', 'show'], 2, '', /no key for .* is known: set RINGBACK_KEY, or give --key\n$/], {
      ...elsewhere,
      ...url,
    })
    await check(
      [['project', 'list'], 2, '', /no key for .* is known: set RINGBACK_ADMIN_KEY, or give --key\n$/],
      { ...elsewhere, ...url },
    )
    await check([['project', 'show'], 0, /default/], { ...elsewhere, ...url, RINGBACK_KEY: dev.test_key })
    await check([['project', 'list'], 0, /default/], {
      ...elsewhere,
      ...url,
      RINGBACK_ADMIN_KEY: dev.admin_key,
    })
    await check([['project', 'show', '--key', dev.test_key], 0, /default/], {
      ...url,
      RINGBACK_KEY: 'rb_live_wrong',
    })
    // The keys of dev.json are for its own server only.
    await check([['project', 'show', '--url', NOBODY], 2, '', /no key for http:\/\/127\.0\.0\.1:9 is known/])
    await check([['project', 'show'], 2, '', /^ringback: RINGBACK_URLS is not a setting: .*\n$/], {
      RINGBACK_URLS: 'x',
    })
    await check([['project', 'show'], 2, '', /^ringback: RINGBACK_URL is not valid: .*\n$/], {
      RINGBACK_URL: 'here',
    })
  })

  await t.test('wrong usage ends with status 2 and one sentence', async () => {
    const usage: [command: string[], sentence: RegExp][] = [
      [['task'], /use one of: ringback task create, /],
      [['task', 'nope'], /use one of: ringback task create, /],
      [['nope'], /there is no command nope; /],
      [['task', 'get'], /TASK is missing: ringback task get TASK; /],
      [['task', 'get', 'one', 'two'], /Unexpected argument 'two'; /],
      [['task', 'get', '..'], /'\.\.' is no id/],
      [['task', 'get', ''], /'' is no id/],
      [['task', 'list', '--nope'], /Unknown option '--nope'; /],
      [['task', 'list', '--status', 'done'], /--status is not valid: use pending, /],
      [['task', 'list', '--limit', 'many'], /--limit is not valid: use a whole number/],
      [['task', 'complete', 'x'], /--response is missing: /],
      [['task', 'complete', 'x', '--response', 'done'], /--response is not valid JSON: /],
      [
        ['task', 'complete', 'x', '--response', '-1'],
        /one that begins with a dash is written --response=-1; /,
      ],
      [['task', 'create', '--params', '{} , "type": "x"'], /--params is not valid JSON: /],
      [['key', 'revoke', 'project'], /KEY is missing: ringback key revoke PROJECT KEY; /],
    ]
    await Promise.all(
      usage.map(([command, sentence]) =>
        check([command, 2, '', new RegExp(`^ringback: .*${sentence.source}.*\n$`)]),
      ),
    )
  })

  await t.test('a server that does not answer, or is none of ours, is said in one sentence', async () => {
    const other = ['--url', `${dev.base_url}/docs`, '--key', 'x']
    await check([['task', 'list', ...other], 1, '', /^ringback: .*\n$/])
    await check([
      ['task', 'list', '--url', 'http://127.0.0.1:1024', '--key', 'x'],
      1,
      '',
      /^ringback: no answer from http:\/\/127\.0\.0\.1:1024 \(ECONNREFUSED\): start the server with `ringback dev`, or .*\n$/,
    ])
  })

  await t.test('output into a closed pipe ends quietly', async () => {
    const id = await createTask('--params', JSON.stringify('x'.repeat(100_000)))
    const script = `"${process.execPath}" "${bin}" task get ${id} --data "${data}" | head -c 2; echo " \${PIPESTATUS[0]}"`
    assert.deepEqual(await run('bash', ['-c', script]), { code: 0, stdout: 'id 0\n', stderr: '' })
  })

  await t.test('a narrow terminal gets lines that fit, with ids in one piece', async () => {
    const id = await createTask('--type', 'a type that is longer than the terminal is wide, by far')
    const commands = [
      ['--help'],
      ['task', '--help'],
      ['task', 'create', '--help'],
      ['task', 'list'],
      ['task', 'get', id],
      ['task', 'show', id],
      ['delivery', 'list'],
      ['project', 'list'],
      ['project', 'show', '--secrets'],
      ['key', 'list', dev.project_id],
    ]
    for (const command of commands) {
      const { stdout } = await ringback(command, { COLUMNS: '40' })
      for (const line of stdout.split('\n')) assert.ok(line.length <= 40, `${command.join(' ')}: ${line}`)
    }
    assert.ok((await ringback(['task', 'list'], { COLUMNS: '40' })).stdout.includes(id))
  })
})

test('help is printed for everything, with the words a command needs', async () => {
  const helped: [command: string[], wanted: RegExp][] = [
    [['--help'], /^  task +Tasks: /m],
    [['task', '--help'], /^  task complete TASK +Completes a task/m],
    [
      ['task', 'audit', '--help'],
      /^  --verdict TEXT +The judgement\. Required\. One of: approved, rejected, fixed\.$/m,
    ],
    [['key', 'revoke', '-h'], /^Usage: ringback key revoke PROJECT KEY \[options\]$/m],
    [['serve', '--help'], /^  --port NUMBER +Port .*\[RINGBACK_PORT, default 7464\]$/m],
  ]
  for (const [command, wanted] of helped) {
    const { code, stdout, stderr } = await run(process.execPath, [bin, ...command])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, wanted)
  }
  const { stdout } = await run(process.execPath, [bin, 'serve', '--help'])
  assert.doesNotMatch(stdout, /--url|--key /)
})
