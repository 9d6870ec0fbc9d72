// Draws media/icon.png, the picture of the extension in lists, from its source.
import sharp from "sharp";

await sharp("media/source/icon.svg", { density: 288 }).resize(128, 128).png().toFile("media/icon.png");
