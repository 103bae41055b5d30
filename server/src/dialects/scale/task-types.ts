// The task types of Scale's clients (contract §2.2): what each cannot do without, what is filled in, and the response that its
// test tasks complete with. Types without a line in the table take anything and answer with an empty object.
import { AppError } from '../../domain/errors.ts'
import type { Printable } from '../../domain/json.ts'
import { scalarText } from './fields.ts'

/** The inputs of a task, parsed; only what a type must look at is looked at. */
export type Inputs = Readonly<Record<string, unknown>>

type TaskType = {
  /** Each is a name, or several of which one is enough. */
  required: readonly (string | readonly string[])[]
  defaults?: { readonly [name: string]: Printable }
  /** Says what is wrong with inputs that are all there; undefined when nothing is. */
  fault?: (inputs: Inputs) => string | undefined
  response: (inputs: Inputs) => Printable
}

const drawing: TaskType = {
  required: ['instruction', 'attachment', 'objects_to_annotate'],
  response: () => ({ annotations: [] }),
}
const collecting: TaskType = {
  required: ['instruction', 'attachment', 'fields'],
  response: ({ fields, repeatable_fields }) => ({
    fields: blanks(fields),
    ...(repeatable_fields === undefined ? {} : { repeatable_fields: [] }),
  }),
}
const anything: TaskType = { required: [], response: () => ({}) }

const types: Readonly<Record<string, TaskType>> = {
  annotation: drawing,
  audiotranscription: {
    required: ['attachment'],
    fault: ({ attachment }) =>
      typeof attachment === 'string' && /^https?:$/.test(URL.parse(attachment)?.protocol ?? '')
        ? undefined
        : 'attachment: must be the http(s) URL of an audio file',
    response: () => ({ transcript: '', duration: 0 }),
  },
  categorization: {
    required: ['instruction', 'attachment', 'categories'],
    defaults: { allow_multiple: false },
    response: ({ categories, allow_multiple }) => {
      const [category] = choicesOf(categories)
      return { category: scalarText(allow_multiple).toLowerCase() === 'true' ? [category] : category }
    },
  },
  chat: anything,
  chatexperimental: anything,
  chatlite: anything,
  comparison: {
    required: ['instruction', 'attachments', ['choices', 'fields']],
    response: ({ choices, fields }) => ({
      ...(choices === undefined ? {} : { choice: choicesOf(choices)[0] }),
      ...(fields === undefined ? {} : { fields: blanks(fields) }),
    }),
  },
  cuboidannotation: anything,
  datacollection: collecting,
  documentmodel: anything,
  documenttranscription: { required: ['attachment', ['features', 'fields']], response: () => ({}) },
  federal2dvideoannotation: anything,
  imageannotation: { required: ['attachment', 'geometries'], response: () => ({ annotations: [] }) },
  laneannotation: anything,
  lidarannotation: anything,
  lidarlinking: anything,
  lidarsegmentation: anything,
  lidartopdown: anything,
  lineannotation: drawing,
  multichat: anything,
  multistage: anything,
  namedentityrecognition: { required: ['text', 'labels'], response: () => ({}) },
  pointannotation: drawing,
  polygonannotation: drawing,
  segmentannotation: {
    required: ['attachment', 'labels'],
    response: () => ({ annotations: {}, labelMapping: {} }),
  },
  sensorfusion: anything,
  textcollection: { required: ['fields'], response: ({ fields }) => ({ fields: blanks(fields) }) },
  transcription: collecting,
  videoannotation: anything,
  videoboxannotation: anything,
  videocuboidannotation: anything,
  videoplaybackannotation: anything,
}

/** The names of all types: what a customer's task can be, and nothing else that is a task for us. */
export const taskTypes: readonly string[] = Object.keys(types)

/** The type of this name; throws `invalid_request` naming `field`. */
export function taskTypeOf(name: string, field = 'type'): TaskType {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  if (type !== undefined) return type
  throw new AppError(
    'invalid_request',
    `${field}: there is no task type ${name}; use one of ${taskTypes.join(', ')}`,
  )
}

/** Throws `invalid_request` naming what a task of this type lacks. */
export function checkInputs(name: string, inputs: Inputs): void {
  const { required, fault } = taskTypeOf(name)
  for (const names of required.map((one) => [one].flat())) {
    if (names.some((one) => isGiven(inputs[one]))) continue
    throw new AppError('invalid_request', `${names.join(' or ')}: required for a task of type ${name}`)
  }
  const found = fault?.(inputs)
  if (found !== undefined) throw new AppError('invalid_request', found)
}

const isGiven = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  (typeof value !== 'object' || Object.keys(value).length > 0)

/** The texts of a list of choices, which may have names and descriptions; a form with a single one sends no list. */
function choicesOf(choices: unknown): string[] {
  if (Array.isArray(choices)) return choices.map((choice) => choicesOf(choice)[0] ?? '')
  if (typeof choices !== 'object' || choices === null) return [scalarText(choices)]
  const { choice, name, label } = choices as Inputs
  return [scalarText(choice ?? name ?? label ?? Object.keys(choices)[0])]
}

/** An empty answer for each field, whether they are given as an object by name or as a list of their descriptions. */
function blanks(fields: unknown): { [name: string]: string } {
  const names = Array.isArray(fields)
    ? fields.map((field: Inputs | null) => scalarText(field?.field_id ?? field?.name ?? field))
    : Object.keys(Object(fields) as object)
  return Object.fromEntries(names.map((name) => [name, '']))
}
