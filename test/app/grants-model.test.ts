import { join } from 'node:path'
import { after } from 'node:test'
import { openSqliteBreakGlassStore } from '../../src/stores/sqlite/break-glass-store.ts'
import { openSqliteRequestStore } from '../../src/stores/sqlite/request-store.ts'
import { scaled } from '../fixtures/random.ts'
import { AS_US, scratch } from '../stores/sqlite-place.ts'
import { modelGrants, WORKERS } from './grants.model.ts'

const place = await scratch()
const path = join(place.path, 'private', 'sentinel.db')

after(() => place[Symbol.asyncDispose]())

modelGrants(
  'sqlite',
  () =>
    Promise.all(
      Array.from({ length: WORKERS }, async () => ({
        requests: await openSqliteRequestStore(path, AS_US),
        breakGlass: await openSqliteBreakGlassStore(path, AS_US),
      })),
    ),
  { sequences: scaled(5000) },
)
