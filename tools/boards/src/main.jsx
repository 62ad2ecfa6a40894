import React from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { readAddress } from './address.js';
import { setTransformations } from './fields.js';
import { Board } from './board.jsx';

async function start() {
  setTransformations();
  const address = readAddress(location);
  const theme = createTheme({ colors: { mode: address.theme } });
  document.documentElement.style.background = theme.colors.background.canvas;
  const root = createRoot(document.getElementById('root'));
  const folder = address.language === 'zh' ? '/boards/zh' : '/boards';
  const answer = await fetch(`${folder}/${address.uid}.json`);
  if (!answer.ok) {
    root.render(<p>There is no board {address.uid}: run make generate.</p>);
    return;
  }
  const board = await answer.json();
  document.title = board.title;
  root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board board={board} address={address} theme={theme} />
    </ThemeContext.Provider>,
  );
}

start();
