/** Which page an address shows. Pages are fetched when they are first opened. */
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useRef } from 'react';
import { Route, Switch, useLocation, useSearch } from 'wouter';
import { Loading } from '../parts/states';
import { ErrorBoundary } from './ErrorBoundary';

type Page = ComponentType<{ params: never }>;

function page(fetch: () => Promise<ComponentType<never>>): Page {
  return lazy(async () => ({ default: (await fetch()) as Page }));
}

const Home = page(async () => (await import('../pages/Home')).Home);
const Models = page(async () => (await import('../pages/Models')).Models);
const Model = page(async () => (await import('../pages/Model')).Model);
const Nations = page(async () => (await import('../pages/Nations')).Nations);
const Nation = page(async () => (await import('../pages/Nation')).Nation);
const Record = page(async () => (await import('../pages/Record')).Record);
const Lookup = page(async () => (await import('../pages/Lookup')).Lookup);
const Trust = page(async () => (await import('../pages/Trust')).Trust);
const Verification = page(async () => (await import('../pages/Verification')).Verification);
const About = page(async () => (await import('../pages/About')).About);
const NotFound = page(async () => (await import('../pages/NotFound')).NotFound);

const ADDRESSES: readonly (readonly [string, Page])[] = [
  ['/', Home],
  ['/models', Models],
  ['/model/:nation/:org/:name/:version?', Model],
  ['/nations', Nations],
  ['/nation/:code', Nation],
  ['/record/:digest', Record],
  ['/lookup', Lookup],
  ['/trust', Trust],
  ['/verification', Verification],
  ['/about', About],
];

export function Pages(): ReactNode {
  const [path] = useLocation();
  const search = useSearch();
  useArrival(`${path}?${search}`);
  return (
    <ErrorBoundary key={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {ADDRESSES.map(([address, page]) => (
            <Route key={address} path={address} component={page as never} />
          ))}
          <Route component={NotFound as never} />
        </Switch>
      </Suspense>
    </ErrorBoundary>
  );
}

/** Whoever follows a link is at the top of the new page, with keyboard and screen reader too. */
function useArrival(address: string): void {
  const before = useRef(address);
  useEffect(() => {
    if (before.current === address) return;
    before.current = address;
    document.getElementById('main')?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [address]);
}
