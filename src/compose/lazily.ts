/** Makes something when it is first asked for, and once. */
export function lazily<Value>(make: () => Promise<Value>) {
  let made: Promise<Value> | undefined
  const get = () => {
    made ??= make()
    return made
  }
  return Object.assign(get, { isMade: () => made !== undefined })
}
