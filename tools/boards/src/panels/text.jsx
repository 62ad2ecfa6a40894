import React from 'react';
import { renderTextPanelMarkdown } from '@grafana/data';

export const Markdown = ({ text }) => <div className="markdown-html" dangerouslySetInnerHTML={{ __html: renderTextPanelMarkdown(text) }} />;
