import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  isTimezone,
  isWithin,
  nextOpening,
  parseTimeOfDay,
} from '../../../src/domain/policy/time-window.ts'
import { type TimeWindow, WEEKDAYS, type Weekday } from '../../../src/domain/policy/types.ts'
import { HOUR, MINUTE } from '../../../src/domain/time.ts'
import { pick, random, scaled } from '../../fixtures/random.ts'
import { isWithinByCalendar, readWall } from './wall-reference.ts'

function aWindow(hours: string, overrides: Partial<TimeWindow> = {}): TimeWindow {
  const [start = '', end = ''] = hours.split('-')
  return {
    hours: { start: parseTimeOfDay(start)!, end: parseTimeOfDay(end)! },
    overnight: false,
    timezone: 'Europe/Berlin',
    ...overrides,
  }
}

const workdays = WEEKDAYS.slice(0, 5)
const night = { days: ['friday'] as Weekday[], overnight: true }
const berlin = { timezone: 'Europe/Berlin' }

suite('isTimezone', () => {
  const cases: [text: string, expected: boolean][] = [
    ['Europe/Berlin', true],
    ['UTC', true],
    ['Asia/Calcutta', true],
    ['Etc/GMT+1', true],
    ['europe/berlin', false],
    ['Europe/Berlin ', false],
    ['+01:00', false],
    ['Z', false],
    ['Mars/Olympus', false],
    ['', false],
  ]
  for (const [text, expected] of cases) {
    test(`${expected ? 'knows' : 'does not know'} "${text}"`, () => {
      assert.equal(isTimezone(text), expected)
    })
  }

  test('knows every zone that the runtime lists', () => {
    assert.deepEqual(
      Intl.supportedValuesOf('timeZone').filter((zone) => !isTimezone(zone)),
      [],
    )
  })
})

suite('parseTimeOfDay', () => {
  const cases: [text: string, minutes: number | undefined][] = [
    ['00:00', 0],
    ['09:30', 570],
    ['23:59', 1439],
    ['24:00', 1440],
    ['24:01', undefined],
    ['9:00', undefined],
    ['09:60', undefined],
    ['25:00', undefined],
    ['09:00:00', undefined],
    ['09:00\n', undefined],
    ['', undefined],
  ]
  for (const [text, minutes] of cases) {
    test(`reads "${text}" as ${minutes}`, () => assert.equal(parseTimeOfDay(text), minutes))
  }
})

suite('isWithin', () => {
  const office = aWindow('09:00-17:00', { days: workdays })
  const wholeFriday: TimeWindow = { days: ['friday'], overnight: false, ...berlin }
  const cases: [when: string, window: TimeWindow, at: string, expected: boolean][] = [
    ['at the first instant', office, '2026-01-14T09:00:00+01:00', true],
    ['just before it', office, '2026-01-14T08:59:59.999+01:00', false],
    ['at the last instant', office, '2026-01-14T16:59:59.999+01:00', true],
    ['at the end', office, '2026-01-14T17:00:00+01:00', false],
    ['at the weekend', office, '2026-01-17T12:00:00+01:00', false],
    ['on another day in another zone', office, '2026-01-18T23:30:00-10:00', true],
    ['at 23:59 until 24:00', aWindow('20:00-24:00'), '2026-01-14T23:59:59+01:00', true],
    ['at midnight after 24:00', aWindow('20:00-24:00'), '2026-01-15T00:00:00+01:00', false],
    ['on a whole day, at its start', wholeFriday, '2026-01-16T00:00:00+01:00', true],
    ['on a whole day, after it', wholeFriday, '2026-01-17T00:00:00+01:00', false],
    ['on the evening of a night', aWindow('22:00-06:00', night), '2026-01-16T22:00+01:00', true],
    ['on the morning after', aWindow('22:00-06:00', night), '2026-01-17T05:59+01:00', true],
    ['at the end of a night', aWindow('22:00-06:00', night), '2026-01-17T06:00+01:00', false],
    ['on the next evening', aWindow('22:00-06:00', night), '2026-01-17T22:00+01:00', false],
    ['on the morning of its day', aWindow('22:00-06:00', night), '2026-01-16T05:00+01:00', false],
    ['for a day from noon to noon', aWindow('12:00-12:00', night), '2026-01-17T11:59+01:00', true],
    ['after noon to noon', aWindow('12:00-12:00', night), '2026-01-17T12:00+01:00', false],
    ['before a gap', aWindow('02:00-03:00'), '2026-03-29T00:59:59Z', false],
    ['after a gap that is the window', aWindow('02:00-03:00'), '2026-03-29T01:00Z', false],
    ['after a gap in the window', aWindow('02:00-04:00'), '2026-03-29T01:00Z', true],
    ['in the first pass of an hour', aWindow('02:15-02:45'), '2026-10-25T00:30Z', true],
    ['between the passes', aWindow('02:15-02:45'), '2026-10-25T00:50Z', false],
    ['in the second pass', aWindow('02:15-02:45'), '2026-10-25T01:30Z', true],
    [
      'in a zone of odd minutes',
      aWindow('09:00-10:00', { timezone: 'Asia/Kathmandu' }),
      '2026-01-14T03:15Z',
      true,
    ],
    ['back to front without a night', aWindow('17:00-09:00'), '2026-01-14T12:00Z', false],
  ]
  for (const [when, window, at, expected] of cases) {
    test(`is ${expected} ${when}`, () => assert.equal(isWithin(window, Date.parse(at)), expected))
  }
})

suite('nextOpening', () => {
  const office = aWindow('09:00-17:00', { days: workdays })
  const cases: [what: string, window: TimeWindow, at: string, expected: string | undefined][] = [
    ['now, inside', office, '2026-01-14T12:00:00.500Z', '2026-01-14T12:00:00.500Z'],
    ['this morning', office, '2026-01-14T05:00Z', '2026-01-14T08:00Z'],
    ['tomorrow', office, '2026-01-14T17:00Z', '2026-01-15T08:00Z'],
    ['after the weekend', office, '2026-01-16T17:00Z', '2026-01-19T08:00Z'],
    ['in summer time', office, '2026-03-27T17:00Z', '2026-03-30T07:00Z'],
    ['at the end of a gap', aWindow('02:30-04:00'), '2026-03-29T00:00Z', '2026-03-29T01:00Z'],
    ['the day after, swallowed', aWindow('02:00-03:00'), '2026-03-29T00:30Z', '2026-03-30T00:00Z'],
    [
      'two weeks later, swallowed on its only day',
      aWindow('02:00-03:00', { days: ['sunday'] }),
      '2026-03-22T02:00Z',
      '2026-04-05T00:00Z',
    ],
    ['in the second pass', aWindow('02:15-02:45'), '2026-10-25T00:50Z', '2026-10-25T01:15Z'],
    ['when it is set back', aWindow('01:00-02:30'), '2026-10-25T00:45Z', '2026-10-25T01:00Z'],
    [
      'on the evening before, set back over midnight',
      aWindow('23:30-23:45', { days: ['saturday'], timezone: 'America/St_Johns' }),
      '2010-11-07T02:30:30Z',
      '2010-11-07T03:00Z',
    ],
    ['never, back to front', aWindow('17:00-09:00'), '2026-01-14T12:00Z', undefined],
  ]
  for (const [what, window, at, expected] of cases) {
    test(`is ${what}`, () => {
      const opening = nextOpening(window, Date.parse(at))
      assert.equal(opening, expected === undefined ? undefined : Date.parse(expected))
    })
  }

  test('is the first minute that a search by the minute finds', () => {
    const seed = 31
    const next = random(seed)
    const changes = changesOf(pickZones(next, 40), 2026, 2027)
    for (let i = 0; i < scaled(150); i++) {
      const change = pick(next, changes)
      const window = randomWindow(next, change.zone)
      const at = change.at + Math.floor(next() * 10 * 24 * 60 - 8 * 24 * 60) * MINUTE
      const expected = openingByMinute(window, at)
      const label = `seed ${seed}, case ${i}: ${JSON.stringify(window)} ${new Date(at).toJSON()}`
      assert.equal(nextOpening(window, at), expected, label)
    }
  })
})

suite('windows around changes of the clock (POL-3)', () => {
  const years = Math.min(3 * scaled(1), 16)
  const windows = [
    aWindow('00:00-00:30'),
    aWindow('01:00-03:00', { days: ['sunday'] }),
    aWindow('02:30-02:45'),
    aWindow('23:00-24:00', { days: ['saturday'] }),
    aWindow('22:00-02:30', { days: ['saturday'], overnight: true }),
    { days: ['sunday'], overnight: false, ...berlin } satisfies TimeWindow,
  ]

  test(`agree with the calendar of Intl in every zone, 2020 to ${2020 + years}`, () => {
    let compared = 0
    for (const { zone, at } of changesOf(Intl.supportedValuesOf('timeZone'), 2020, 2020 + years)) {
      for (let minutes = -120; minutes <= 120; minutes += 15) {
        for (const instant of [at + minutes * MINUTE, at + minutes * MINUTE - 1]) {
          const wall = readWall(zone, instant)
          for (const template of windows) {
            const window = { ...template, timezone: zone }
            const expected = isWithinByCalendar(window, wall)
            if (isWithin(window, instant) !== expected) {
              assert.fail(`${zone} ${new Date(instant).toJSON()} ${JSON.stringify(window)}`)
            }
            compared++
          }
        }
      }
    }
    assert.ok(compared > 50_000, `only ${compared} comparisons`)
  })

  test('agree with the calendar of Intl in every zone without changes', () => {
    for (const zone of Intl.supportedValuesOf('timeZone')) {
      for (const at of [Date.UTC(2026, 0, 3, 23, 59), Date.UTC(2026, 6, 5, 2, 31)]) {
        for (const template of windows) {
          const window = { ...template, timezone: zone }
          assert.equal(isWithin(window, at), isWithinByCalendar(window, readWall(zone, at)), zone)
        }
      }
    }
  })
})

/** Where to look: every change of the clock in `zones`. What to find there Intl says. */
function changesOf(zones: readonly string[], from: number, to: number) {
  return zones.flatMap((zone) => {
    const changes: { zone: string; at: number }[] = []
    const start = Temporal.Instant.fromEpochMilliseconds(Date.UTC(from, 0))
    let next = start.toZonedDateTimeISO(zone).getTimeZoneTransition('next')
    while (next && next.epochMilliseconds < Date.UTC(to, 0)) {
      changes.push({ zone, at: next.epochMilliseconds })
      next = next.getTimeZoneTransition('next')
    }
    return changes
  })
}

function pickZones(next: () => number, count: number): string[] {
  const zones = Intl.supportedValuesOf('timeZone')
  return ['America/Havana', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Santiago'].concat(
    Array.from({ length: count }, () => pick(next, zones)),
  )
}

function randomWindow(next: () => number, timezone: string): TimeWindow {
  const minute = () => Math.floor(next() * 96) * 15
  const [a, b] = [minute(), minute()]
  const overnight = next() < 0.4
  const hours = overnight
    ? { start: Math.max(a, b), end: Math.min(a, b) }
    : { start: Math.min(a, b), end: Math.max(a, b) + 15 }
  const days = WEEKDAYS.filter(() => next() < 0.3)
  return {
    ...(days.length > 0 && { days }),
    ...(next() < 0.9 && { hours }),
    overnight,
    timezone,
  }
}

function openingByMinute(window: TimeWindow, at: number): number | undefined {
  // Clocks change on a quarter of an hour: one look at the wall serves for fifteen minutes.
  for (let quarter = at; quarter < at + 16 * 24 * HOUR; ) {
    const wall = readWall(window.timezone, quarter)
    const left = 15 - (new Date(quarter).getUTCMinutes() % 15)
    for (let minutes = 0; minutes < left; minutes++) {
      if (isWithinByCalendar(window, { ...wall, minute: wall.minute + minutes })) {
        return quarter + minutes * MINUTE
      }
    }
    quarter += left * MINUTE
  }
  return undefined
}
