// The team, which Scale's Python client wants to be no empty list (contract §2.5). We know keys and no people, so that its one
// member is whoever runs the platform.
import type { FrontDeps } from '../front.ts'
import { answering, type Handler } from './answer.ts'

/** Makes the handler of `GET /v1/teams`. */
export const teamRoute = ({ config }: FrontDeps): Handler => {
  const { hostname } = new URL(config.public_url)
  return answering(async () => [{ email: `operator@${hostname}`, role: 'manager' }])
}
