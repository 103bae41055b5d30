// What keeps a copy from beginning or from ending.

/** The copy cannot be made or is not the same as its source: one sentence with the remedy. */
export class CopyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CopyError'
  }
}
