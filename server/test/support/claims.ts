// A claim of all that is due.
import type { ClaimRequest } from '../../src/store/claiming.ts'

export const claimAll: ClaimRequest = {
  destinations: 100,
  per_destination: 100,
  bytes: 2 ** 28,
  spare_bytes: 2 ** 28,
  room: {},
  room_bytes: {},
  project_room: {},
  project_bytes: {},
  past: [],
}
