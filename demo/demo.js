// Starts the demo, or says in one sentence why this Node cannot (it runs TypeScript directly).
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `The demo needs Node 22.18 or later, not ${process.versions.node}: start it with \`npm run demo\`.`,
  );
  process.exit(1);
}
const { main } = await import("./demo.ts");
process.exitCode = await main(process.argv.slice(2));
