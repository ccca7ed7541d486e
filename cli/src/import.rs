//! Reading the model cards that hubs show: a README in Markdown with front matter in YAML.
//!
//! Real front matter is odd: one language or a list, names instead of tags, numbers for text. What can
//! be read is taken; everything that is left out is noted, and the README itself goes along byte for
//! byte, so nothing is lost.

use chancery_schema::limits::{LINE_BYTES_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use chancery_schema::name::Language;
use serde_json::{Map, Value, json};

/// What was read, as members of a model card, and what was left out and why.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Imported {
    /// Members of the card's body.
    pub members: Map<String, Value>,
    /// One sentence for each thing left out.
    pub notes: Vec<String>,
}

/// Members of the front matter that become something of the card.
const TAKEN: [&str; 12] = [
    "base_model",
    "base_model_relation",
    "datasets",
    "language",
    "library_name",
    "license",
    "license_link",
    "license_name",
    "model-index",
    "new_version",
    "pipeline_tag",
    "tags",
];

/// Reads a README. `text_language` is the language that its prose is in; `name` stands in for a
/// heading.
#[must_use]
pub fn import(readme: &str, name: &str, text_language: &Language) -> Imported {
    let mut imported = Imported::default();
    let (front, prose) = split(readme.trim_start_matches('\u{feff}'));
    let front = front.map_or_else(Map::new, |front| imported.front_matter(front));
    imported.identity(&front, prose, name, text_language);
    imported.languages(&front);
    imported.license(&front);
    imported.lineage(&front);
    imported.lists(&front);
    imported.evaluations(&front);
    for member in front.keys().filter(|member| !TAKEN.contains(&member.as_str())) {
        imported.notes.push(format!("`{}` has no place in a card; it stays in the README", cut(member)));
    }
    imported
}

/// The YAML between two lines of `---` at the very start, and the rest.
fn split(readme: &str) -> (Option<&str>, &str) {
    let mut lines = readme.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return (None, readme) };
    let mut end = first.len();
    for line in lines {
        if line.trim_end() == "---" {
            return (Some(&readme[first.len()..end]), &readme[end + line.len()..]);
        }
        end += line.len();
    }
    (None, readme)
}

impl Imported {
    fn front_matter(&mut self, yaml: &str) -> Map<String, Value> {
        match serde_saphyr::from_str::<Value>(yaml) {
            Ok(Value::Object(front)) => front,
            Ok(_) => {
                self.notes.push("the front matter is not a list of members; it stays in the README".to_owned());
                Map::new()
            }
            Err(error) => {
                let reason = cut(error.to_string().lines().next().unwrap_or_default());
                self.notes.push(format!("the front matter is not YAML ({reason}); it stays in the README"));
                Map::new()
            }
        }
    }

    fn identity(&mut self, front: &Map<String, Value>, prose: &str, name: &str, language: &Language) {
        let heading = prose.lines().find_map(|line| line.strip_prefix("# ")).map(plain);
        let indexed = front.get("model-index").and_then(|index| index.get(0)).and_then(|index| index.get("name"));
        let title = heading.or_else(|| indexed.and_then(Value::as_str).map(plain)).filter(|title| is_line(title));
        let title = title.unwrap_or_else(|| name.to_owned());
        self.put("displayName", json!({ language.as_str(): title }));
        if prose.len() > TEXT_BYTES_MAX {
            self.notes.push(format!("the text is longer than {TEXT_BYTES_MAX} bytes; it stays in the README"));
        } else if !prose.trim().is_empty() {
            self.put("text", json!({ language.as_str(): prose.trim() }));
        }
    }

    fn languages(&mut self, front: &Map<String, Value>) {
        let mut tags: Vec<String> = Vec::new();
        for word in words(front.get("language")) {
            match Language::in_one_case(&word).parse::<Language>() {
                Ok(tag) if !is_name_of_no_language(&word) => {
                    if !tags.iter().any(|known| known == tag.as_str()) {
                        tags.push(tag.to_string());
                    }
                }
                _ => self.notes.push(format!("the language `{}` is not a language tag such as fr", cut(&word))),
            }
        }
        self.bound("language", &mut tags);
        if !tags.is_empty() {
            self.put("languages", tags.iter().map(|tag| json!({ "tag": tag })).collect());
        }
    }

    fn license(&mut self, front: &Map<String, Value>) {
        let declared = words(front.get("license"));
        let named = words(front.get("license_name"));
        let license = if matches!(declared.first().map(String::as_str), None | Some("other")) && !named.is_empty() {
            named
        } else {
            declared
        };
        if license.len() > 1 {
            self.notes.push(format!("of {} licenses all are written into one line", license.len()));
        }
        self.line("declaredLicense", "license", &license.join(", "));
        let link = words(front.get("license_link"));
        if let Some(link) = link.first() {
            if link.starts_with("https://") || link.starts_with("http://") {
                self.line("declaredLicenseLink", "license_link", link);
            } else {
                self.notes.push(format!("the license link `{}` is not an address", cut(link)));
            }
        }
    }

    fn lineage(&mut self, front: &Map<String, Value>) {
        let relation = words(front.get("base_model_relation"));
        let relation = relation.first().map(|word| word.to_lowercase());
        let known = ["finetune", "adapter", "merge", "quantized"];
        let relation = relation.filter(|word| known.contains(&word.as_str()));
        let mut parents = words(front.get("base_model"));
        self.bound("base_model", &mut parents);
        let parents: Vec<Value> = parents
            .into_iter()
            .filter(|parent| is_line(parent) && !parent.starts_with("urn:chancery:"))
            .map(|parent| match &relation {
                Some(relation) => json!({ "model": parent, "relation": relation }),
                None => json!({ "model": parent }),
            })
            .collect();
        if !parents.is_empty() {
            self.put("lineage", parents.into());
        }
    }

    fn lists(&mut self, front: &Map<String, Value>) {
        for (member, source) in [("tags", "tags"), ("tasks", "pipeline_tag")] {
            let lines = self.lines(source, front);
            if !lines.is_empty() {
                self.put(member, lines.into());
            }
        }
        let data = self.lines("datasets", front);
        if !data.is_empty() {
            self.put("trainingData", data.into_iter().map(|name| json!({ "name": name })).collect());
        }
        for (member, source) in [("library", "library_name"), ("newVersion", "new_version")] {
            let value = words(front.get(source)).into_iter().next().unwrap_or_default();
            self.line(member, source, &value);
        }
    }

    /// Results in the `model-index` of hubs.
    fn evaluations(&mut self, front: &Map<String, Value>) {
        let models = front.get("model-index").and_then(Value::as_array).into_iter().flatten();
        let results = models.flat_map(|model| model.get("results").and_then(Value::as_array).into_iter().flatten());
        let mut evaluations = Vec::new();
        for result in results {
            let task = result.pointer("/task/type").and_then(word);
            let dataset =
                ["/dataset/name", "/dataset/type"].iter().find_map(|place| result.pointer(place).and_then(word));
            for metric in result.get("metrics").and_then(Value::as_array).into_iter().flatten() {
                let name = ["/type", "/name"].iter().find_map(|place| metric.pointer(place).and_then(word));
                let value = metric.get("value").and_then(word);
                let (Some(name), Some(value)) = (name, value) else {
                    self.notes.push("a result without a metric or a value was left out".to_owned());
                    continue;
                };
                let mut evaluation = json!({ "metric": name, "value": value });
                if let Some(task) = &task {
                    evaluation["task"] = task.clone().into();
                }
                if let Some(dataset) = &dataset {
                    evaluation["dataset"] = json!({ "id": dataset });
                }
                evaluations.push(evaluation);
            }
        }
        self.bound("model-index", &mut evaluations);
        if !evaluations.is_empty() {
            self.put("evaluations", evaluations.into());
        }
    }

    fn lines(&mut self, source: &str, front: &Map<String, Value>) -> Vec<String> {
        let mut lines: Vec<String> = words(front.get(source)).into_iter().filter(|line| is_line(line)).collect();
        self.bound(source, &mut lines);
        lines
    }

    fn line(&mut self, member: &str, source: &str, line: &str) {
        if is_line(line) {
            self.put(member, line.into());
        } else if !line.is_empty() {
            self.notes.push(format!("`{source}` is not one line of at most {LINE_BYTES_MAX} bytes"));
        }
    }

    fn bound<T>(&mut self, source: &str, items: &mut Vec<T>) {
        if items.len() > LIST_ITEMS_MAX {
            self.notes.push(format!("of {} items of `{source}` the first {LIST_ITEMS_MAX} are taken", items.len()));
            items.truncate(LIST_ITEMS_MAX);
        }
    }

    fn put(&mut self, member: &str, value: Value) {
        self.members.insert(member.to_owned(), value);
    }
}

/// One value or a list of them, as text.
fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(values)) => values.iter().filter_map(word).collect(),
        Some(value) => word(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A scalar as text. YAML reads the language `no` as false.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => plain(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(false) => "no".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        _ => return None,
    };
    is_line(&text).then_some(text)
}

/// On one line, without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LINE_BYTES_MAX && !text.chars().any(char::is_control)
}

/// Words that stand where a language tag belongs, and have the shape of one.
fn is_name_of_no_language(word: &str) -> bool {
    let words = ["code", "multilingual", "multi", "other", "all", "unknown", "english", "french", "chinese", "yes"];
    words.iter().any(|name| word.eq_ignore_ascii_case(name))
}

fn cut(text: &str) -> String {
    plain(text).chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(readme: &str) -> Imported {
        import(readme, "model", &"und".parse().unwrap())
    }

    #[test]
    fn a_hub_card_becomes_a_card() {
        let card = read(
            "---\nlanguage: [fr, no, French]\nlicense: apache-2.0\ntags: [a, b]\nbase_model: x/y\n\
             base_model_relation: finetune\npipeline_tag: text-generation\nwidget: 1\n---\n# Le modèle\n\nTexte.\n",
        );
        let member = |name: &str| card.members.get(name).cloned().unwrap_or_default();
        assert_eq!(member("displayName"), json!({ "und": "Le modèle" }));
        assert_eq!(member("languages"), json!([{ "tag": "fr" }, { "tag": "no" }]));
        assert_eq!(member("declaredLicense"), "apache-2.0");
        assert_eq!(member("lineage"), json!([{ "model": "x/y", "relation": "finetune" }]));
        assert_eq!(member("tasks"), json!(["text-generation"]));
        assert_eq!(member("text"), json!({ "und": "# Le modèle\n\nTexte." }));
        assert_eq!(card.notes.len(), 2, "{:?}", card.notes);
    }

    #[test]
    fn results_keep_their_values_as_they_were_written() {
        let card = read(
            "---\nmodel-index:\n- name: m\n  results:\n  - task: {type: asr}\n    dataset: {name: D}\n    metrics:\n    \
             - {type: wer, value: 12.5}\n    - {type: cer}\n---\n",
        );
        let expected = json!([{ "metric": "wer", "value": "12.5", "task": "asr", "dataset": { "id": "D" } }]);
        assert_eq!(card.members["evaluations"], expected);
        assert_eq!(card.members["displayName"], json!({ "und": "m" }));
    }

    #[test]
    fn a_card_without_front_matter_is_text() {
        let card = read("Just words.");
        assert_eq!(card.members["text"], json!({ "und": "Just words." }));
        assert_eq!(card.members["displayName"], json!({ "und": "model" }));
    }

    #[test]
    fn broken_front_matter_is_noted_and_the_text_is_kept() {
        for readme in ["---\n[\n---\nText.", "---\n- a\n---\nText.", "---\na: b\na: c\n---\nText."] {
            let card = read(readme);
            assert_eq!(card.members["text"], json!({ "und": "Text." }), "{readme}");
        }
        assert!(!read("---\n[\n---\nText.").notes.is_empty());
    }

    proptest! {
        #[test]
        fn no_readme_breaks_the_reader(readme in "(---\n)?([a-z_-]{1,12}: ?[\\[\\]{}&*!|>'\",a-z0-9 \n-]{0,40}\n){0,6}(---\n)?.{0,80}") {
            let card = read(&readme);
            prop_assert!(card.members.contains_key("displayName"));
        }
    }
}
