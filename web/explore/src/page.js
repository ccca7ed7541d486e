const welcome = `# The registry of models, as this node sees it.
# Every answer can be checked: ask for envelope, entry, proof and cosignatures.

{
  nations {
    code
    displayName
    fingerprint
    own
    accredited
    size
  }
  models(first: 10) {
    totalCount
    edges {
      node {
        urn
        version
        displayName
        license
        card {
          digest
          verdict {
            state
            reason
          }
          cosignatures {
            nation
            at
          }
        }
      }
    }
  }
}
`;

const fetcher = GraphiQL.createFetcher({ url: '/graphql' });
const explorer = React.createElement(GraphiQL, { fetcher, defaultQuery: welcome, shouldPersistHeaders: false });
ReactDOM.createRoot(document.getElementById('page')).render(explorer);
