/**
 * A function or class whose package is loaded by its first use. Native packages take longer to load than commands that need none
 * of them take in all.
 */
export function lazily<T extends object>(load: () => T): T {
  let loaded: T | undefined;
  const real = () => {
    loaded ??= load();
    return loaded as T & (new (...given: unknown[]) => object) & ((...given: unknown[]) => unknown);
  };
  // A function, so that it can be called and constructed.
  return new Proxy(function unused() {} as unknown as T, {
    apply: (_, self, given) => Reflect.apply(real(), self, given),
    construct: (_, given) => Reflect.construct(real(), given),
    get: (_, name) => Reflect.get(real(), name),
  });
}
