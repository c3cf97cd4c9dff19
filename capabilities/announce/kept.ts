/** What the map has for the key, or else what is found for it, which is kept there. */
export function kept<K, V>(
  known: { has(key: K): boolean; get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  find: () => V,
): V {
  // It may be undefined that was found.
  if (known.has(key)) return known.get(key) as V;
  const found = find();
  known.set(key, found);
  return found;
}

/** The function with what it finds kept for as long as the object that it was asked of is there. */
export function keptFor<K extends object, V>(find: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return key => kept(known, key, () => find(key));
}
