// Completion for zsh, to be sourced after compinit or kept as a file _ringback on the fpath.
import { quote, type Offer, type Words } from './words.ts'

const list = (offers: readonly Offer[]) =>
  `offers=(${offers.map(({ word, doc }) => quote(`${word}:${doc.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}`)).join(' ')})`

/** Writes the script. */
export const zshScript = ({ first, second, rest, values }: Words): string => `#compdef ringback
_ringback() {
  local at=\${words[2]}
  local -a offers
  if ((CURRENT == 2)); then
    ${list(first)}
    _describe command offers
    return
  fi
  case $at in
${second.map(({ after, offers }) => `    ${after}) ${list(offers)} ;;`).join('\n')}
  esac
  if ((\${#offers})); then
    if ((CURRENT == 3)); then
      _describe command offers
      return
    fi
    at+=" \${words[3]}"
  fi
  case "$at \${words[CURRENT-1]}" in
${values.map(({ after, values: what }) => `    ${quote(after)}) ${replyOf(what)}return ;;`).join('\n')}
  esac
  offers=()
  case $at in
${rest.map(({ after, offers }) => `    ${quote(after)}) ${list(offers)} ;;`).join('\n')}
  esac
  ((\${#offers})) && _describe option offers
}
if [[ \${funcstack[1]} == _ringback ]]; then
  _ringback "$@"
else
  compdef _ringback ringback
fi`

function replyOf(values: readonly string[] | 'folders' | 'anything'): string {
  if (values === 'anything') return ''
  return values === 'folders' ? '_files -/; ' : `compadd -- ${values.map(quote).join(' ')}; `
}
