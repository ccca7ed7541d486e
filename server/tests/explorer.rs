use crate::node::Node;

#[test]
fn the_explorer_comes_whole_from_this_server_or_says_how_to_build_it() {
    let node = Node::empty();
    let page = node.get("/graphiql");
    if page.status == 404 {
        assert!(page.text().contains("make explore"), "{}", page.text());
        return;
    }
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/graphiql/")).collect();
    assert_eq!(files.len(), 6, "{}", page.text());
    assert!(!page.text().contains("//"), "the page names another host");
    for file in files {
        let answer = node.get(file);
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.header("content-type").starts_with("text/"), "{file}");
    }
}
