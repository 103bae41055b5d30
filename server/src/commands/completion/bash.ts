// Completion for bash, without the package bash-completion.
import { quote, type Offer, type Words } from './words.ts'

const list = (offers: readonly Offer[]) => quote(offers.map(({ word }) => word).join(' '))

/** Writes the script. */
export const bashScript = ({ first, second, rest, values }: Words): string => `# bash completion of ringback
_ringback() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} at=\${COMP_WORDS[1]} offers=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${list(first)} -- "$current"))
    return
  fi
  case $at in
${second.map(({ after, offers }) => `    ${after}) offers=${list(offers)} ;;`).join('\n')}
  esac
  if [[ $offers ]]; then
    if ((COMP_CWORD == 2)); then
      COMPREPLY=($(compgen -W "$offers" -- "$current"))
      return
    fi
    at+=" \${COMP_WORDS[2]}"
  fi
  case "$at $before" in
${values.map(({ after, values: what }) => `    ${quote(after)}) ${replyOf(what)}return ;;`).join('\n')}
  esac
  case $at in
${rest.map(({ after, offers }) => `    ${quote(after)}) offers=${list(offers)} ;;`).join('\n')}
    *) offers= ;;
  esac
  COMPREPLY=($(compgen -W "$offers" -- "$current"))
}
complete -F _ringback ringback`

function replyOf(values: readonly string[] | 'folders' | 'anything'): string {
  if (values === 'anything') return ''
  const source = values === 'folders' ? '-d' : `-W ${quote(values.join(' '))}`
  return `COMPREPLY=($(compgen ${source} -- "$current")); `
}
