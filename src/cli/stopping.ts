/** How long a command may take to stop after Ctrl+C before it is left behind. One that owes answers to others asks for more. */
export const stopping = { withinMs: 1500 };
