import { css } from "lit";

/** A grid of buttons that are pictures with words below them. Its columns, gap and padding are up to who uses it. */
export const pictureListStyles = css`
  ul {
    display: grid;
    list-style: none;
    margin: 8px 0;
    padding: 0;
  }
  li button {
    display: block;
    width: 100%;
    text-align: start;
  }
  .picture {
    aspect-ratio: 4 / 3;
    display: flex;
    align-items: center;
    justify-content: center;
    overflow: hidden;
    background: var(--vscode-textCodeBlock-background);
  }
  img {
    width: 100%;
    height: 100%;
    object-fit: contain;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
`;
