//! The pages as those read them who run no scripts: alike with and without the portal in the binary.

use chancery_schema::key::Role;
use chancery_schema::record::Kind;
use serde_json::json;

use crate::node::Node;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[test]
fn the_address_of_a_record_leads_people_to_its_page_and_programs_to_its_envelope() {
    let mut node = Node::empty();
    let charter = node.nation.charter();
    node.admit(&charter);
    let path = format!("/record/{}", charter.record_digest());
    for (language, expected) in [("", "en"), ("sw, fr;q=0.5", "fr"), ("ar-EG", "ar"), ("zh-Hans, en;q=0.9", "zh")] {
        let answer = node.get_with(&path, &[("accept", BROWSER), ("accept-language", language)]);
        assert_eq!((answer.status, answer.header("location")), (303, format!("/{expected}{path}").as_str()));
        assert_eq!(answer.header("vary"), "accept, accept-language");
    }
    for accept in ["application/json", "*/*", "application/json, text/html;q=0.9"] {
        let answer = node.get_with(&path, &[("accept", accept)]);
        assert_eq!((answer.status, answer.body.as_slice()), (200, charter.to_bytes().as_slice()), "{accept}");
        assert!(answer.header("vary").starts_with("accept, accept-language"), "{}", answer.header("vary"));
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let always = node.get_with(&format!("{path}/envelope"), &[("accept", BROWSER)]);
    assert_eq!(always.body, charter.to_bytes());
    let named = node.get(&format!("/envelope/{}", charter.digest()));
    assert_eq!((named.status, named.body.as_slice()), (200, charter.to_bytes().as_slice()));
    let bundle = node.get(&format!("/bundle/{}", charter.record_digest()));
    for answer in [&always, &named, &bundle] {
        assert_eq!(answer.header("cache-control"), "no-store", "records may be redacted");
    }
    assert_eq!(node.get(&format!("/envelope/{}", charter.record_digest())).status, 404, "that is the record's");
}

#[test]
fn a_records_page_says_what_the_node_says_and_that_it_verifies_nothing() {
    let mut node = Node::empty();
    let charter = node.nation.charter();
    node.admit(&charter);
    let digest = charter.record_digest();
    let page = node.get(&format!("/es/record/{digest}"));
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-cache");
    for part in [
        "Sin JavaScript, esta página no verifica nada.",
        "<dd>es válido</dd>",
        "<dd>0 · <bdi dir=\"ltr\"><code>fr.example.org/chancery</code></bdi></dd>",
        "Nation FR",
        &format!("<code>{digest}</code>"),
        &format!("<a href=\"/bundle/{digest}\">"),
        &format!("<a href=\"/record/{digest}/envelope\">"),
    ] {
        assert!(page.text().contains(part), "{part} is not in {}", page.text());
    }
    let head = node.agent.head(format!("{}/es/record/{digest}", node.url)).call().unwrap();
    assert_eq!(head.status(), 200);
}

#[test]
fn a_page_speaks_the_language_of_its_address() {
    let mut node = Node::with_model();
    let publisher = node.nation.publisher();
    node.admit(&publisher);
    let record = publisher.record_digest();
    for (language, direction, delegation, publisher, none) in [
        ("en", "ltr", "delegation", "Publisher", "This record is not held here"),
        ("ar", "rtl", "تفويض", "الجهة الناشرة", "هذه الوثيقة غير محفوظة هنا"),
        ("zh", "ltr", "授权书", "发布方", "此处未保存该记录"),
        ("fr", "ltr", "délégation", "Éditeur", "Cet enregistrement n’est pas conservé ici"),
        ("ru", "ltr", "делегирование полномочий", "Издатель", "Этот документ здесь не хранится"),
        ("es", "ltr", "delegación", "Editor", "Este documento no se conserva aquí"),
    ] {
        for (path, part) in [
            (format!("record/{record}"), format!("<dd>{delegation}</dd>")),
            ("model/FR/lab/m".to_owned(), format!("<dt>{publisher}</dt>")),
            ("record/none".to_owned(), format!("<h1>{none}</h1>\n")),
        ] {
            let page = node.get(&format!("/{language}/{path}"));
            assert_eq!(page.header("content-language"), language);
            assert!(
                page.text().contains(&format!("<html lang=\"{language}\" dir=\"{direction}\">")),
                "{}",
                page.text()
            );
            assert!(page.text().contains(&part), "{part} is not in {}", page.text());
        }
    }
}

#[test]
fn a_models_page_shows_its_versions_and_escapes_what_its_publisher_wrote() {
    let mut node = Node::with_model();
    let mut draft = node.nation.card_draft("m", "1.0");
    draft["version"] = json!("2.0");
    draft["displayName"] = json!({ "en": "<script>alert(1)</script> & \"m\"", "ar": "نموذج" });
    let key = node.nation.key(Role::Publisher, 0);
    let card = node.nation.sign(Kind::ModelCard, draft, &[&key]);
    node.admit(&card);
    let newest = node.get("/en/model/FR/lab/m");
    assert_eq!(newest.status, 200);
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;m&quot;";
    assert!(newest.text().contains(&format!("<h1><bdi lang=\"en\" dir=\"auto\">{escaped}</bdi> ")));
    assert!(!newest.text().contains("<script>alert"), "{}", newest.text());
    for part in [
        "urn:chancery:FR:lab:m",
        "<bdi lang=\"ar\" dir=\"auto\">نموذج</bdi>",
        "<h2>Other versions</h2>",
        &format!("<code>{}</code>", card.record_digest()),
        "verifies nothing",
    ] {
        assert!(newest.text().contains(part), "{part} is not in {}", newest.text());
    }
    let old = node.get("/ar/model/FR/lab/m/1.0");
    assert!(
        old.status == 200 && old.text().contains("<h1><bdi lang=\"ar\" dir=\"auto\">نموذج</bdi>"),
        "{}",
        old.text()
    );
}

#[test]
fn what_is_not_held_is_said_in_the_same_frame() {
    let node = Node::with_model();
    for path in [
        format!("/fr/record/{}", "0".repeat(64)),
        "/fr/record/nonsense".to_owned(),
        "/fr/model/FR/lab/none".to_owned(),
        "/fr/model/FR/lab/m/9.9".to_owned(),
        "/fr/model/%3Cscript%3E/lab/m".to_owned(),
    ] {
        let answer = node.get(&path);
        assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
        assert!(
            answer.text().contains(" n’est pas conservé ici</h1>") && answer.text().starts_with("<!doctype html>"),
            "{path}"
        );
    }
    for path in ["/de", "/en-GB", "/assets/none.js", "/assets/..%2Findex.html", "/assets/index.js.map", "/assets/"] {
        assert_eq!(node.get(path).status, 404, "{path}");
    }
}

#[test]
fn every_other_page_says_who_the_node_is() {
    let node = Node::with_model();
    for path in ["/en", "/ar/", "/zh/models", "/ru/nation/FR", "/es/about"] {
        let page = node.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains("Nation FR") && page.text().contains("/graphql/schema"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    }
    let root = node.get_with("/", &[("accept-language", "ru")]);
    match root.status {
        303 => assert_eq!((root.header("location"), root.header("vary")), ("/ru", "accept-language")),
        _ => assert!(root.status == 200 && root.text().contains("Nation FR"), "{}", root.text()),
    }
}

#[test]
fn where_the_portal_is_built_in_all_its_files_come_from_this_server() {
    let node = Node::with_model();
    if node.get("/").status != 303 {
        return;
    }
    let page = node.get("/ar");
    assert!(page.text().contains("<html lang=\"ar\" dir=\"rtl\">") && !page.text().contains("<!--content-->"));
    assert_eq!(page.header("content-language"), "ar");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self'; ") && policy.ends_with("require-trusted-types-for 'script'"),
        "{policy}"
    );
    let files: Vec<&str> = page.text().split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(files.len() > 2, "{}", page.text());
    for file in files {
        let answer = node.get(file);
        assert_eq!(answer.status, 200, "{file}");
        let kept = answer.header("cache-control") == "public, max-age=31536000, immutable";
        assert_eq!(kept, !file.ends_with("seal.svg"), "{file}");
    }
}
