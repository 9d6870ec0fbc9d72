import type { Host } from "../host.ts";

/** Addresses of small pictures by hash; null for a file that cannot be read. Each is asked for once. */
export function createThumbnails(host: Host, config: string, onChange: () => void) {
  const known = new Map<string, string | null>();
  const asked = new Set<string>();
  return {
    /** undefined while it is being made. */
    get: (hash: string): string | null | undefined => known.get(hash),
    async want(hashes: readonly string[]): Promise<void> {
      const wanted = [...new Set(hashes)].filter((hash) => !asked.has(hash));
      if (wanted.length === 0) return;
      for (const hash of wanted) asked.add(hash);
      try {
        const made = await host.request("leaf/thumbnails", { config, hashes: wanted, size: "small" });
        for (const hash of wanted) {
          const uri = made[hash];
          known.set(hash, uri ? host.resource(uri) : null);
        }
      } catch {
        // The image is shown by its name alone.
        for (const hash of wanted) known.set(hash, null);
      }
      onChange();
    },
  };
}

export type Thumbnails = ReturnType<typeof createThumbnails>;
