// Completion for fish.
import type { Offer, Words } from './words.ts'

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** Writes the script. */
export function fishScript({ first, second, rest, values }: Words): string {
  const lineOf =
    (condition: string) =>
    ({ word, doc }: Offer) =>
      `complete -c ringback -n ${quote(condition)} -a ${quote(word)} -d ${quote(doc)}`
  const valueOf = new Map(values.map(({ after, values: what }) => [after, what]))
  const restLine = (after: string) => (offer: Offer) => {
    const condition = `__ringback_in ${after}`
    if (!offer.word.startsWith('--')) return lineOf(condition)(offer)
    const what = valueOf.get(`${after} ${offer.word}`)
    return `complete -c ringback -n ${quote(condition)} -l ${offer.word.slice(2)}${takes(what)} -d ${quote(offer.doc)}`
  }
  return [
    '# fish completion of ringback',
    'function __ringback_at',
    '    set -l words (commandline -opc)',
    '    test "$words[2..]" = "$argv"',
    'end',
    'function __ringback_in',
    '    set -l words (commandline -opc)',
    '    set -l last (math (count $argv) + 1)',
    '    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"',
    'end',
    'complete -c ringback -f',
    ...first.map(lineOf('__ringback_at')),
    ...second.flatMap(({ after, offers }) => offers.map(lineOf(`__ringback_at ${after}`))),
    ...rest.flatMap(({ after, offers }) => offers.map(restLine(after))),
  ].join('\n')
}

function takes(values: readonly string[] | 'folders' | 'anything' | undefined): string {
  if (values === undefined) return ''
  if (values === 'anything') return ' -x'
  return values === 'folders' ? " -x -a '(__fish_complete_directories)'" : ` -x -a ${quote(values.join(' '))}`
}
