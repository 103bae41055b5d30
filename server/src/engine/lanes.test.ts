import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ready } from '../store/store.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createLanes, type LanesOptions } from './lanes.ts'

const unlimited = { in_flight: 64, per_second: null }

// What `ready` makes.
const SMALL = 2
const LARGE = 4 * 1024 * 1024

let count = 0

function ready(destination_id: string, body = '{}'): Ready {
  return {
    id: `delivery-${++count}`,
    project_id: 'p',
    mode: 'live',
    task_id: 't',
    seq: 1,
    event_id: 'e',
    event_type: 'task.completed',
    sequence: 1,
    destination_id,
    url: 'https://receiver.test/',
    resend: 0,
    ordered: 1,
    state: 'sending',
    reason: null,
    due_at: null,
    attempt_count: 0,
    unknown_count: 0,
    unknown_streak: 0,
    first_attempt_at: null,
    give_up_at: null,
    cancel_requested: 0,
    lease_owner: 'n',
    lease_until: 0,
    fence: 1,
    created_at: 0,
    settled_at: null,
    body,
  }
}

const found = { probes: [], next_due_at: null, further: false, spent: [], cut: {} }
const nothing = { claimed: [], more: [], ...found }
const at = (destination_id: string, project_id = 'p') => ({ project_id, destination_id })

function setUp(options: Partial<LanesOptions<Ready>> = {}) {
  const started: Ready[] = []
  const events = { room: 0 }
  const clock = createManualClock()
  const lanes = createLanes({
    clock,
    start: (delivery) => started.push(delivery),
    onRoom: () => events.room++,
    bytesOf: ({ body }) => body.length,
    ...options,
  })
  const claimed = (destination_id: string, in_flight = 64, per_second: number | null = null) => {
    const delivery = ready(destination_id)
    lanes.adopt(delivery)
    if (!lanes.push(delivery, { in_flight, per_second })) lanes.cancel(at(destination_id), SMALL)
    return delivery
  }
  const end = (delivery: Ready) => {
    lanes.finish(delivery, true)
    lanes.forget(delivery)
  }
  return { clock, lanes, started, events, claimed, end }
}

test('a destination holds four times its 64 slots unless its project says otherwise, and another has its own', () => {
  const { lanes } = setUp()
  for (let i = 0; i < 4 * 64; i++) assert.ok(lanes.reserve(at('a'), SMALL))
  assert.equal(lanes.reserve(at('a'), SMALL), false)
  assert.ok(lanes.reserve(at('b'), SMALL))
})

test('no place is given past work that waits in the database', () => {
  const { lanes, claimed, end } = setUp()
  const first = claimed('a')
  assert.ok(lanes.reserve(at('a'), SMALL))
  lanes.cancel(at('a'), SMALL)
  lanes.learn(lanes.request()!, {
    claimed: [first],
    more: ['a'],
    ...found,
  })
  assert.equal(lanes.reserve(at('a'), SMALL), false)
  end(first)
  assert.equal(lanes.reserve(at('a'), SMALL), false)
})

test('a full destination counts as one where more waits, until a claim finds no more', () => {
  const { lanes, claimed, end } = setUp()
  const sent = [1, 2, 3, 4].map(() => claimed('a', 1))
  lanes.learn(lanes.request()!, {
    claimed: [],
    more: ['a'],
    ...found,
  })
  for (const delivery of sent) end(delivery)
  assert.equal(lanes.reserve(at('a'), SMALL), false)
  assert.equal(
    lanes.learn(lanes.request()!, {
      claimed: [],
      more: [],
      ...found,
    }),
    false,
  )
  assert.ok(lanes.reserve(at('a'), SMALL))
})

test('more deliveries than a project allows in flight wait in their lane, in order', () => {
  const { claimed, end, started } = setUp()
  const all = Array.from({ length: 5 }, () => claimed('a', 2))
  assert.deepEqual(started, all.slice(0, 2))
  end(all[1]!)
  assert.deepEqual(started, all.slice(0, 3))
  end(all[0]!)
  end(all[0]!)
  assert.deepEqual(started, all.slice(0, 4))
})

test('a full destination is asked for nothing, one that moves for as many as it has sent', () => {
  const { lanes, claimed, end } = setUp()
  for (let i = 0; i < 256; i++) claimed('hung')
  const lively = Array.from({ length: 256 }, () => claimed('lively'))
  assert.deepEqual(lanes.request()!.room, { hung: 0, lively: 0 })
  end(lively[0]!)
  assert.deepEqual(lanes.request()!.room, { hung: 0, lively: 1 })
})

test('what is answered but not settled counts as held, so that a kill repeats no more than that', () => {
  const { lanes, claimed, started } = setUp()
  const sent = Array.from({ length: 4 }, () => claimed('a', 1))
  for (const delivery of sent) lanes.finish(delivery, true)
  assert.equal(lanes.inFlight(), 0)
  assert.equal(lanes.reserve(at('a'), SMALL), false)
  assert.deepEqual(lanes.request()!.room, { a: 0 })
  claimed('a', 1)
  assert.equal(started.length, 4)
  lanes.forget(sent[0]!)
  assert.equal(started.length, 5)
})

test('a destination that has more is asked for as much as it has room for', () => {
  const { lanes, claimed } = setUp()
  const request = lanes.request()!
  assert.deepEqual(request, {
    destinations: 64,
    per_destination: 16,
    bytes: 4 * 1024 * 1024,
    spare_bytes: 4 * 1024 * 1024,
    room: {},
    room_bytes: {},
    project_room: {},
    project_bytes: {},
    past: [],
  })
  const deliveries = Array.from({ length: 16 }, () => claimed('a'))
  assert.equal(
    lanes.learn(request, {
      claimed: deliveries,
      more: ['a'],
      ...found,
    }),
    true,
  )
  assert.deepEqual(lanes.request()!.room, { a: 240 })
})

test('a slot that comes free asks for a claim only where more waits', () => {
  const { lanes, claimed, end, events } = setUp()
  const [one, two] = [claimed('a'), claimed('b')]
  lanes.learn(lanes.request()!, {
    claimed: [],
    more: ['a'],
    ...found,
  })
  end(two)
  assert.equal(events.room, 0)
  end(one)
  assert.equal(events.room, 1)
})

test('all lanes together hold no more than the capacity, in count and in bytes', () => {
  const { lanes, end, events } = setUp({ capacity: 4 })
  const sent = ['a', 'b', 'c', 'd'].map((id) => ({ ...ready(id), project_id: id }))
  for (const delivery of sent) lanes.adopt(delivery)
  assert.equal(lanes.reserve(at('e'), SMALL), false)
  assert.equal(lanes.request(), null)
  for (const delivery of sent) lanes.push(delivery, unlimited)
  end(sent[0]!)
  assert.equal(events.room, 0)
  end(sent[1]!)
  assert.equal(events.room, 1)

  const heavy = setUp().lanes
  const megabyte = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 256; i++) {
    const delivery = { ...ready(`d${i}`, megabyte), project_id: `p${i}` }
    heavy.adopt(delivery)
    heavy.push(delivery, unlimited)
  }
  assert.equal(heavy.reserve(at('one more', 'another'), megabyte.length), false)
  const { destinations, bytes } = heavy.request()!
  assert.deepEqual({ destinations, bytes }, { destinations: 64, bytes: 0 })
})

test('a project has a part of the memory, a lane of its project a part of that, and what is live is left some in any case', () => {
  const { clock, lanes, claimed, end } = setUp({ capacity: 96 })
  clock.advance(10_000)
  end(claimed('live'))
  end(claimed('prompt'))
  const fill = (id: string, project_id: string) => {
    let count = 0
    while (lanes.reserve(at(id, project_id), SMALL)) count++
    return count
  }
  const fillProject = (project_id: string) => {
    let count = 0
    for (let i = 0; i < 100; i++) count += fill(`${project_id}-${i}`, project_id)
    return count
  }
  assert.equal(fill('a', 'p'), 42)
  assert.equal(fillProject('p'), 14)
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  assert.equal(lanes.reserve(at('new', 'p'), SMALL), false)
  assert.ok(fillProject('second') > 10)
  assert.ok(fillProject('third') > 3)
  for (let i = 0; i < 100; i++) fillProject(`project-${i}`)
  assert.equal(lanes.request()!.destinations, 0)
  // What cannot be claimed for anybody new is named for one who is prompt, also of a project that has nothing.
  assert.equal(lanes.awaits(at('unknown', 'idle')), true)
  assert.equal(lanes.awaits(at('prompt', 'idle')), false)
  assert.ok(lanes.request()!.room['prompt']! > 0)
  assert.ok(fill('live', 'p') > 3)
})

test('receivers that were prompt and hang one after the other leave something to one that is live', () => {
  const { clock, lanes, claimed, end } = setUp({ bytesOf: () => LARGE })
  clock.advance(10_000)
  const names = Array.from({ length: 300 }, (_, i) => `flips-${i}`)
  for (const name of names) end(claimed(name))
  let hanging = 0
  for (let i = 0; i < 30; i++) {
    clock.advance(1000)
    for (const name of names.splice(0, 10)) {
      if (!lanes.reserve(at(name), LARGE)) continue
      lanes.push(ready(name), unlimited)
      hanging++
    }
    lanes.request()
    assert.ok(lanes.reserve(at('live', 'other'), LARGE))
    const alive = { ...ready('live'), project_id: 'other' }
    lanes.push(alive, unlimited)
    end(alive)
  }
  assert.ok(hanging > 30 && hanging < 60, `${hanging} of 4 MiB`)
})

test('a project whose receivers hang one behind the other, each just after it answered, leaves some to another project', () => {
  for (const bytes of [1000, 1024 * 1024]) {
    const { clock, lanes, end } = setUp({ bytesOf: () => bytes })
    clock.advance(10_000)
    for (let i = 0; i < 100; i++) {
      clock.advance(2500)
      const flips = at(`flips-${i}`)
      const prompt = ready(flips.destination_id)
      // Its project is full; a claim brings it.
      if (lanes.reserve(flips, SMALL)) lanes.accept(prompt, SMALL)
      else lanes.adopt(prompt)
      lanes.push(prompt, unlimited)
      end(prompt)
      while (lanes.reserve(flips, bytes)) lanes.push(ready(flips.destination_id), unlimited)
      const request = lanes.request()
      assert.ok(request !== null && request.destinations > 0 && request.bytes > 0)
      assert.ok(lanes.reserve(at('well', 'other'), bytes))
      lanes.cancel(at('well', 'other'), bytes)
    }
  }
})

test('a destination that was prompt has room though its project has none, until it hangs, too', () => {
  const { clock, lanes, claimed, end } = setUp({ capacity: 90 })
  clock.advance(10_000)
  const sent = claimed('prompt')
  clock.advance(2000)
  end(sent)
  const late = claimed('slow')
  clock.advance(2001)
  end(late)
  // Neither has a lane now.
  assert.equal(lanes.size(), 0)
  const others = Array.from({ length: 100 }, (_, i) => at(`hangs-${i}`)).filter((one) =>
    lanes.reserve(one, SMALL),
  )
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  assert.equal(lanes.reserve(at('slow'), SMALL), false)
  const hanging = Array.from({ length: 10 }, () => claimed('prompt'))
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  assert.ok(lanes.reserve(at('prompt'), SMALL))
  lanes.cancel(at('prompt'), SMALL)
  clock.advance(2001)
  lanes.request()
  assert.equal(lanes.reserve(at('prompt'), SMALL), false)
  // Its places are its project's again, and come back to it.
  for (const delivery of hanging) end(delivery)
  for (const other of others) lanes.cancel(other, SMALL)
  while (lanes.learn(lanes.request()!, { claimed: [], more: [], ...found }));
  assert.deepEqual([lanes.size(), lanes.request()!.project_room], [0, {}])
})

test('an attempt that was not made says nothing of a receiver, and neither does one that is over beside others that hang', () => {
  const { clock, lanes, claimed } = setUp({ capacity: 90 })
  clock.advance(10_000)
  claimed('a')
  clock.advance(2001)
  const [quick, unmade] = [claimed('a'), claimed('b')]
  for (let i = 0; i < 100; i++) lanes.reserve(at(`hangs-${i}`), SMALL)
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  lanes.finish(quick, true)
  lanes.finish(unmade, false)
  assert.deepEqual([lanes.awaits(at('a')), lanes.awaits(at('b'))], [true, true])
})

test('of what waits with a full project only a prompt destination asks for a claim, which names it', () => {
  const { lanes, claimed, end } = setUp({ capacity: 90 })
  end(claimed('prompt'))
  for (let i = 0; i < 100; i++) lanes.reserve(at(`hangs-${i}`), SMALL)
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  assert.ok(lanes.awaits(at('new')))
  assert.equal(lanes.awaits(at('new', 'other')), false)
  assert.equal(lanes.awaits(at('prompt')), false)
  assert.ok(lanes.request()!.room['prompt']! > 0)
})

test('bodies are shared as places are', () => {
  const { lanes } = setUp({ bytesOf: () => LARGE })
  const fill = (id: string, project_id: string) => {
    let count = 0
    for (; lanes.reserve(at(id, project_id), LARGE); count++)
      lanes.push({ ...ready(id), project_id }, unlimited)
    return count
  }
  const first = fill('a', 'p')
  assert.ok(first > 24 && first < 34, `${first} of 4 MiB`)
  assert.equal(lanes.reserve(at('a'), LARGE), false)
  for (let i = 0; i < 100; i++) fill(`p${i}`, 'p')
  const { project_room, project_bytes } = lanes.request()!
  assert.ok(project_room['p']! > 1000)
  assert.deepEqual(project_bytes, { p: 0 })
  const others = fill('b', 'other')
  assert.ok(others > 4, `${others} of 4 MiB`)
})

test('bytes count from when a place is reserved for them, and as what it is that has the place', () => {
  const { lanes } = setUp()
  const fill = () => {
    let count = 0
    for (; lanes.reserve(at(`d${count}`), LARGE); count++);
    return count
  }
  const places = fill()
  assert.ok(places > 30 && places < 45, `${places} of 4 MiB`)
  for (let i = 0; i < places; i++) lanes.accept(ready(`d${i}`), LARGE)
  assert.equal(fill(), places, 'they were small')
  for (let i = 0; i < places; i++) lanes.cancel(at(`d${i}`), LARGE)
  assert.equal(fill(), places)
})

test('what is small does not wait for bytes that large ones hold, and what is large does', () => {
  const { clock, lanes, end } = setUp()
  clock.advance(10_000)
  let held = 0
  for (; lanes.reserve(at(`d${held}`), LARGE); held++)
    lanes.push(ready(`d${held}`, 'x'.repeat(LARGE)), unlimited)
  assert.ok(held > 30 && held < 45, `${held} of 4 MiB`)
  assert.equal(lanes.reserve(at('another'), LARGE), false)
  assert.ok(lanes.reserve(at('another'), 4000))
  const sent = ready('another', 'x'.repeat(4000))
  lanes.push(sent, unlimited)
  assert.ok(lanes.reserve(at('another'), 4000))
  end(sent)
  // What has had a small one may have more by a claim.
  lanes.learn(lanes.request()!, { claimed: [], more: ['another', 'd0'], ...found })
  const { room, room_bytes, project_bytes } = lanes.request()!
  // The next one to one that had a large one may be small; the claim will see.
  assert.ok(room['another']! > 0 && room['d0']! > 0)
  assert.deepEqual([project_bytes, room_bytes['d0']], [{ p: 0 }, undefined])
})

test('a receiver of small ones that waits behind nothing is claimed for though large ones hold all bytes', () => {
  const { clock, lanes } = setUp()
  clock.advance(10_000)
  for (let i = 0; lanes.reserve(at(`d${i}`), LARGE); i++)
    lanes.push(ready(`d${i}`, 'x'.repeat(LARGE)), unlimited)
  assert.equal(lanes.awaits(at('small')), false)
  const { destinations, project_room } = lanes.request()!
  assert.ok(destinations > 0 && project_room['p']! > 0)
  // One that had to wait while others were committed is no worse off.
  lanes.learn(lanes.request()!, { claimed: [], more: ['small'], ...found })
  assert.notEqual(lanes.request()!.room['small'], 0)
})

test('a destination whose first one had no bytes is looked past for a second, or until there are some', () => {
  const { clock, lanes, end } = setUp()
  clock.advance(10_000)
  const sent: Ready[] = []
  for (let i = 0; lanes.reserve(at(`d${i}`), LARGE); i++) {
    sent.push(ready(`d${i}`, 'x'.repeat(LARGE)))
    lanes.push(sent.at(-1)!, unlimited)
  }
  assert.ok(lanes.reserve(at('heavy'), SMALL))
  lanes.push(ready('heavy'), unlimited)
  const look = () => {
    const cut = { heavy: LARGE, elsewhere: LARGE }
    lanes.learn(lanes.request()!, { claimed: [], more: ['heavy'], ...found, cut })
    return lanes.request()!
  }
  assert.deepEqual([look().past, look().room['heavy']], [['heavy', 'elsewhere'], undefined])
  assert.equal(lanes.awaits(at('heavy')), true)
  clock.advance(1000)
  assert.deepEqual(lanes.request()!.past, [])
  assert.ok(lanes.request()!.room['heavy']! > 0)
  look()
  for (const delivery of sent.splice(10)) end(delivery)
  const { past, room } = lanes.request()!
  assert.deepEqual(past, ['elsewhere'])
  assert.ok(room['heavy']! > 0)
})

test('a lane without room is not kept, and neither is a project without lanes', () => {
  const { lanes } = setUp({ capacity: 4 })
  assert.ok(lanes.reserve(at('a'), SMALL))
  assert.ok(lanes.reserve(at('b'), SMALL))
  assert.ok(lanes.reserve(at('c'), SMALL))
  for (let i = 0; i < 10; i++) assert.equal(lanes.reserve(at(`d${i}`), SMALL), false)
  assert.equal(lanes.size(), 3)
  for (const id of ['a', 'b', 'c']) lanes.cancel(at(id), SMALL)
  assert.deepEqual([lanes.size(), lanes.request()!.project_room], [0, {}])
})

test('a claim never asks for more than fits, however many lanes have more', () => {
  const { lanes, claimed, end } = setUp()
  const ids = Array.from({ length: 3000 }, (_, i) => `d${i}`)
  const sent = ids.map((id) => claimed(id))
  lanes.learn(lanes.request()!, {
    claimed: sent,
    more: ids,
    ...found,
  })
  for (const delivery of sent) end(delivery)
  const asked = new Set<string>()
  const nextRequest = () => {
    const request = lanes.request()!
    const rooms = Object.entries(request.room)
    const named = rooms.reduce((sum, [, room]) => sum + room, 0)
    assert.ok(named + request.destinations * request.per_destination <= 8192)
    return { request, found: rooms.flatMap(([id, room]) => (room > 0 ? id : [])) }
  }
  // What is left out of one is in the next.
  while (asked.size < ids.length) {
    const { request, found } = nextRequest()
    const before = asked.size
    for (const id of found) asked.add(id)
    assert.ok(asked.size > before)
    assert.equal(lanes.learn(request, nothing), asked.size < ids.length)
  }
})

test('a claim leaves a project within its share, whoever of it is named', () => {
  const { lanes } = setUp()
  const heavy = (id: string) => ready(id, 'x'.repeat(900_000))
  let held = 0
  const claimAll = () => {
    const request = lanes.request()!
    const { room, room_bytes, project_room, project_bytes, destinations, per_destination } = request
    let left = project_room['p'] ?? Infinity
    let shared = Math.min(request.spare_bytes, project_bytes['p'] ?? Infinity)
    let bytes = request.bytes
    const names = Object.entries(room)
    for (let i = 0; i < destinations; i++) {
      const given = Math.min(left, per_destination)
      left -= given
      names.push([`new-${held}-${i}`, given])
    }
    for (const [id, count] of names) {
      assert.equal(room_bytes[id], undefined)
      for (let i = 0; i < count; i++) {
        if (bytes <= 0 || shared <= 0) break
        const delivery = heavy(id)
        bytes -= delivery.body.length
        shared -= delivery.body.length
        lanes.adopt(delivery)
        lanes.push(delivery, unlimited)
        held++
      }
    }
    const more = names.map(([id]) => id)
    lanes.learn(request, { claimed: [], more, ...found })
  }
  for (let i = 0; i < 100; i++) claimAll()
  assert.ok(held > 150 && held < 215, `${held} of 900 kB`)
  assert.ok(lanes.reserve(at('a', 'other'), SMALL))
})

test('after a claim that found nobody with room there is a rest, and after others none while there may be more', () => {
  const { lanes, claimed } = setUp()
  const request = lanes.request()!
  const parked = { claimed: [], more: ['d'], ...found, further: true }
  assert.equal(lanes.learn(request, parked), false)
  assert.equal(lanes.learn(request, { ...parked, claimed: [claimed('d')] }), true)
})

/** A project has all that it may, in lanes of one each that hang; `endSome` ends so many of them. */
function setUpFull() {
  const { lanes } = setUp({ capacity: 960 })
  const hanging: Ready[] = []
  for (let i = 0; lanes.reserve(at(`hangs-${i}`), SMALL); i++) {
    const delivery = ready(`hangs-${i}`)
    lanes.push(delivery, unlimited)
    hanging.push(delivery)
  }
  const endSome = (count: number) => {
    for (const delivery of hanging.splice(0, count)) {
      lanes.finish(delivery, false)
      lanes.forget(delivery)
    }
  }
  return { lanes, endSome }
}

test('turns go on for as long as something waits for which its project had no room left', () => {
  const { lanes, endSome } = setUpFull()
  const request = lanes.request()!
  assert.deepEqual(request.project_room, { p: 0 })
  endSome(200)
  // The claim had no room for them.
  lanes.learn(request, nothing)
  const turns = () => lanes.request()!.per_destination === 1
  assert.ok(turns())
  lanes.learn(lanes.request()!, { ...nothing, spent: ['p'] })
  assert.ok(turns())
  lanes.learn(lanes.request()!, nothing)
  assert.ok(!turns())
})

test('a project that has all but a little of its share gets that for what waits, not for lanes in which nothing does', () => {
  const { lanes, endSome } = setUpFull()
  endSome(4)
  for (let i = 0; i < 3; i++) {
    const request = lanes.request()!
    assert.ok(request.project_room['p']! > 0 && request.project_room['p']! < request.per_destination)
    assert.deepEqual(request.room, {})
    // There was nothing: a rest, however many lanes there are.
    assert.equal(lanes.learn(request, nothing), false)
  }
})

test('attempts that are over as soon as they begin do not begin one within the other, however many wait', () => {
  let over: (delivery: Ready) => void = () => {}
  let depth = 0
  let deepest = 0
  let begun = 0
  const { lanes, claimed } = setUp({
    start: (delivery) => {
      begun++
      deepest = Math.max(deepest, ++depth)
      over(delivery)
      depth--
    },
  })
  const [first] = Array.from({ length: 1024 }, () => claimed('a', 256))
  assert.equal(begun, 256)
  over = (delivery) => lanes.finish(delivery, false)
  over(first!)
  assert.deepEqual([begun, deepest], [1024, 1])
})

test('what waits for a lane that has all it may have is claimed when there is a place', () => {
  const { lanes, claimed, end, events } = setUp()
  const sent = Array.from({ length: 4 }, () => claimed('a', 1))
  assert.ok(lanes.awaits(at('a')))
  for (const delivery of sent.splice(0, 2)) end(delivery)
  assert.equal(events.room, 1)
  assert.equal(lanes.awaits(at('a')), false)
  assert.equal(lanes.awaits(at('b')), false)
})

test('what came to a full lane while a claim was under way is not forgotten by that claim', () => {
  const { lanes, claimed, end, events } = setUp()
  const sent = Array.from({ length: 3 }, () => claimed('a', 1))
  const request = lanes.request()!
  sent.push(claimed('a', 1))
  assert.ok(lanes.awaits(at('a')))
  lanes.learn(request, { claimed: [sent[3]!], more: [], ...found })
  for (const delivery of sent) end(delivery)
  assert.ok(events.room > 0)
})

test('a lane that was said to have more, and has not, is asked once', () => {
  const { lanes, claimed, end } = setUp()
  const sent = claimed('a')
  lanes.learn(lanes.request()!, { claimed: [sent], more: ['a'], ...found })
  end(sent)
  const request = lanes.request()!
  assert.ok(request.room['a']! > 0)
  // Others are due, and have no room.
  lanes.learn(request, { claimed: [], more: ['d'], ...found, further: true })
  assert.deepEqual(lanes.request()!.room, {})
})

test('a project that was full asks for a claim when it has room for a good part of what it may have', () => {
  const { lanes, events } = setUp({ capacity: 96 })
  const ids = Array.from({ length: 96 }, (_, i) => `d${i}`).filter((id) => lanes.reserve(at(id), SMALL))
  assert.equal(ids.length, 56)
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  for (const id of ids.splice(0, 13)) lanes.cancel(at(id), SMALL)
  assert.equal(events.room, 0)
  lanes.cancel(at(ids[0]!), SMALL)
  assert.ok(events.room > 0)
})

test('after a project was full its destinations have their turn one by one, until all have had it', () => {
  const { lanes, claimed } = setUp({ capacity: 96 })
  const first = claimed('first')
  lanes.learn(lanes.request()!, { claimed: [first], more: ['first'], ...found })
  assert.ok(lanes.request()!.room['first']! > 0)
  const others = Array.from({ length: 96 }, (_, i) => at(`d${i}`)).filter((one) => lanes.reserve(one, SMALL))
  assert.deepEqual(lanes.request()!.project_room, { p: 0 })
  for (const other of others) lanes.cancel(other, SMALL)
  const request = lanes.request()!
  assert.deepEqual([request.room, request.per_destination], [{}, 1])
  assert.ok(lanes.learn(request, { claimed: [], more: [], ...found }))
  const next = lanes.request()!
  assert.ok(next.room['first']! > 0 && next.per_destination > 1)
})

test('a lane that was short of its share asks for a claim when there is room for a good part of it', () => {
  const { lanes, claimed, end, events } = setUp({ capacity: 96 })
  const sent = Array.from({ length: 42 }, () => claimed('a'))
  lanes.learn(lanes.request()!, {
    claimed: [],
    more: ['a'],
    ...found,
  })
  for (const delivery of sent.splice(0, 20)) end(delivery)
  assert.equal(events.room, 0)
  end(sent[0]!)
  assert.equal(events.room, 1)
})

test('an empty lane is forgotten, and idle resolves when all is settled', async () => {
  const { lanes, claimed } = setUp()
  const sent = claimed('a')
  assert.ok(lanes.reserve(at('b'), SMALL))
  lanes.cancel(at('b'), SMALL)
  let idle = false
  const waiting = lanes.idle().then(() => (idle = true))
  lanes.finish(sent, true)
  assert.equal(lanes.inFlight(), 0)
  assert.equal(lanes.size(), 1)
  await Promise.resolve()
  assert.equal(idle, false)
  lanes.forget(sent)
  assert.equal(lanes.size(), 0)
  await waiting
})

test('what is drained counts until it is given back', () => {
  const { lanes, claimed, end } = setUp()
  const [first, second] = [claimed('a', 1), claimed('a', 1)]
  assert.deepEqual(lanes.drain(), [second])
  end(first)
  assert.equal(lanes.size(), 1)
  lanes.cancel(at('a'), SMALL)
  assert.equal(lanes.size(), 0)
})

test('a limit a second spaces what begins, and what waits for it is bounded', () => {
  const { clock, lanes, claimed, started } = setUp()
  const paced = () => claimed('a', 64, 20)
  for (let i = 0; i < 50; i++) paced()
  // Two at once are a tenth of a second's worth; forty wait, and the rest was given back.
  assert.equal(started.length, 2)
  clock.advance(49)
  assert.equal(started.length, 2)
  clock.advance(1)
  assert.equal(started.length, 3)
  clock.advance(950)
  assert.equal(started.length, 22)
  clock.advance(5000)
  assert.equal(started.length, 42)
  assert.equal(lanes.inFlight(), 42)
})

test('a lane keeps its pace though it was empty in between, and is forgotten when that is over', () => {
  const { clock, lanes, claimed, end, started } = setUp()
  end(claimed('a', 64, 1))
  claimed('a', 64, 1)
  assert.equal(started.length, 1)
  clock.advance(1000)
  assert.equal(started.length, 2)
  end(started[1]!)
  assert.equal(lanes.size(), 1)
  clock.advance(1000)
  assert.equal(lanes.size(), 0)
})

test('a pace is kept by whoever comes between its time and its timer, and when the clock is set back', () => {
  const { clock, lanes, claimed, started } = setUp()
  const paced = () => claimed('a', 64, 1)
  clock.at(clock.now() + 1000, () => lanes.finish(started[0]!, true))
  for (let i = 0; i < 3; i++) paced()
  clock.advance(1500)
  assert.equal(started.length, 2)
  clock.advance(500)
  assert.equal(started.length, 3)
  clock.advance(500)
  clock.setBack(3_600_000)
  paced()
  clock.advance(1100)
  assert.equal(started.length, 4)
})

test('one destination can be drained alone', () => {
  const { lanes, claimed } = setUp()
  claimed('a', 1)
  claimed('b', 1)
  const [waiting] = [claimed('a', 1), claimed('b', 1)]
  assert.deepEqual(lanes.drain('a'), [waiting])
  assert.deepEqual(lanes.drain('unknown'), [])
})
