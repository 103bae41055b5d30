// The providers that we know: how each is polled, and what its callbacks mean. A new one is a JSON file and a line here; what is
// documented of them, and what is a guess, stands in docs/providers.md.
import type { PollPlan, ResolvePlan } from '../domain/call.ts'
import elevenlabsDubbing from './elevenlabs-dubbing.json' with { type: 'json' }
import fal from './fal.json' with { type: 'json' }
import luma from './luma.json' with { type: 'json' }
import replicate from './replicate.json' with { type: 'json' }
import runwayml from './runwayml.json' with { type: 'json' }
import stabilityVideo from './stability-video.json' with { type: 'json' }

/** A poll as it stands on the wire of the native API and in the templates: seconds instead of milliseconds. */
export type PollTemplate = Omit<PollPlan, 'interval_ms' | 'max_duration_ms'> & {
  interval_s: number
  max_duration_s: number
}

/** A provider; `resolve` is null where the meaning of its callbacks is not known. */
export type Provider = {
  id: string
  name: string
  description: string
  poll: PollTemplate
  resolve: ResolvePlan | null
}

export const providers: readonly Provider[] = [
  fal,
  replicate,
  runwayml,
  luma,
  elevenlabsDubbing,
  stabilityVideo,
]

/** The provider with this id, if we know it. */
export const providerOf = (id: string): Provider | undefined =>
  providers.find((provider) => provider.id === id)

/** The poll that a template stands for. */
export const pollPlanOf = ({ interval_s, max_duration_s, ...poll }: PollTemplate): PollPlan => ({
  ...poll,
  interval_ms: interval_s * 1000,
  max_duration_ms: max_duration_s * 1000,
})
