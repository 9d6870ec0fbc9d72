/**
 * Whether a config may name this variable as a key: it must be one by its name, or the user has allowed it. Else a stranger's
 * config could have any secret of the environment sent away. LEAF_ALLOWED_KEY_ENV: names, `*` for any letters, by commas.
 */
export function isKeyVariable(name: string, env: Record<string, string | undefined>): boolean {
  if (/_API_KEY$/.test(name) || /^LEAF_/.test(name)) return true;
  const allowed = (env.LEAF_ALLOWED_KEY_ENV ?? "").split(/[\s,]+/).filter(Boolean);
  return allowed.some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/\W/g, ""));
    return new RegExp(`^${parts.join("\\w*")}$`).test(name);
  });
}
