import { scaled } from '../fixtures/random.ts'
import { testSessionStore } from './session-store.conformance.ts'
import { modelSessionStore } from './session-store.model.ts'
import { openPlace } from './sqlite-place.ts'

testSessionStore('sqlite', openPlace)
modelSessionStore('sqlite', openPlace, { interleavings: scaled(5000) })
