/** Makes something when it is first asked for, and once; what failed is tried again next time. */
export function lazily<Value>(make: () => Promise<Value>) {
  let made: Promise<Value> | undefined
  const get = () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
  return Object.assign(get, { isMade: () => made !== undefined })
}
