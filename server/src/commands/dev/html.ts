// HTML that is safe by construction: what stands between the tags of a template is escaped, unless it was made by the same
// template. Task types, error texts and response bodies are anybody's, so nothing else here may write HTML.

/** Finished HTML; only `html` makes it. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char] ?? char)

/** What a template takes; null is nothing. Attribute values must stand in quotes. */
export type Part = string | number | Html | readonly Html[] | null

/** Makes HTML: the template's own text as it stands, its values escaped. */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = template[0] ?? ''
  for (const [i, part] of parts.entries()) text += print(part) + (template[i + 1] ?? '')
  return new Html(text)
}

function print(part: Part): string {
  if (part === null) return ''
  if (part instanceof Html) return part.text
  return typeof part === 'object' ? part.map(({ text }) => text).join('') : escape(String(part))
}
