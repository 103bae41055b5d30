import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkInputs, taskTypeOf, taskTypes, type Inputs } from './task-types.ts'

const picture = { instruction: 'i', attachment: 'https://a.test/1.jpg' }
const drawing = { ...picture, objects_to_annotate: ['cow'] }
const form = { instruction: 'i', attachment: 'https://a.test', fields: { title: 'Title' } }

/** Inputs that are enough, each of which is needed; and what a test task of them answers. */
const complete: [type: string, inputs: Inputs, response: object][] = [
  ['categorization', { ...picture, categories: ['a', 'b'] }, { category: 'a' }],
  ['transcription', form, { fields: { title: '' } }],
  ['datacollection', form, { fields: { title: '' } }],
  ['annotation', drawing, { annotations: [] }],
  ['polygonannotation', drawing, { annotations: [] }],
  ['lineannotation', drawing, { annotations: [] }],
  ['pointannotation', drawing, { annotations: [] }],
  ['segmentannotation', { attachment: 'a', labels: ['cow'] }, { annotations: {}, labelMapping: {} }],
  ['audiotranscription', { attachment: 'https://a.test/1.wav' }, { transcript: '', duration: 0 }],
  ['imageannotation', { attachment: 'a', geometries: { box: {} } }, { annotations: [] }],
  ['documenttranscription', { attachment: 'a', features: [{ type: 'block' }] }, {}],
  ['documenttranscription', { attachment: 'a', fields: ['x'] }, {}],
  ['namedentityrecognition', { text: 't', labels: [{ name: 'l' }] }, {}],
  ['textcollection', { fields: [{ field_id: 'f' }] }, { fields: { f: '' } }],
  ['comparison', { instruction: 'i', attachments: ['a', 'b'], choices: ['yes', 'no'] }, { choice: 'yes' }],
  ['comparison', { instruction: 'i', attachments: ['a', 'b'], fields: { x: 'X' } }, { fields: { x: '' } }],
]

test('each type wants its inputs, all of them, and answers a test task in its own form', () => {
  for (const [type, inputs, response] of complete) {
    checkInputs(type, inputs)
    assert.deepEqual(taskTypeOf(type).response(inputs), response, type)
    for (const [missing, value] of Object.entries(inputs)) {
      const blank = typeof value === 'string' ? '' : Array.isArray(value) ? [] : {}
      for (const nothing of [undefined, null, blank]) {
        const lacking = { ...inputs, [missing]: nothing }
        const named = new RegExp(`\\b${missing}\\b.*required for a task of type ${type}`)
        assert.throws(() => checkInputs(type, lacking), named, `${type} without ${missing}`)
      }
    }
  }
})

test('a single choice of a form, several categories and repeatable fields are answered as they were asked', () => {
  const response = (type: string, inputs: Inputs) => taskTypeOf(type).response(inputs)
  assert.deepEqual(response('categorization', { categories: 'only' }), { category: 'only' })
  assert.deepEqual(response('categorization', { categories: ['a'], allow_multiple: 'True' }), {
    category: ['a'],
  })
  assert.deepEqual(response('categorization', { categories: [{ name: 'n' }] }), { category: 'n' })
  assert.deepEqual(response('transcription', { fields: {}, repeatable_fields: { x: 'X' } }), {
    fields: {},
    repeatable_fields: [],
  })
})

test('an audio file is given by its URL', () => {
  for (const attachment of ['some_non_url', 'file:///etc/passwd', 5]) {
    assert.throws(
      () => checkInputs('audiotranscription', { attachment }),
      /attachment: must be the http\(s\) URL/,
    )
  }
})

test('the other types of the clients take anything, and there are no others', () => {
  assert.equal(taskTypes.length, 32)
  const free = taskTypes.filter((type) => taskTypeOf(type).required.length === 0)
  assert.equal(free.length, 18)
  for (const type of free) {
    checkInputs(type, {})
    assert.deepEqual(taskTypeOf(type).response({}), {})
  }
  for (const type of ['batch', 'constructor', '']) assert.throws(() => taskTypeOf(type), /no task type/)
})
