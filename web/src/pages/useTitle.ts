import { useEffect } from 'react';

/** The page's title, as tabs and bookmarks show it. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Chancery`;
  }, [title]);
}
