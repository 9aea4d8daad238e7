//! The two cutters of long JSON documents, held against serde's reader: what serde calls a document they cut into the very
//! elements that serde finds in it.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use rollcall_monitoring::{mackerel, nagios};

/// A document with every key that it holds, those that come twice too.
#[derive(Debug)]
enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Plain(Value),
}

pub(crate) fn cutters(data: &[u8]) {
    // A key that is written with escapes is none of ours, although serde reads it as one: such a list is missing, never short.
    if data.windows(2).any(|two| two == br"\u") {
        return;
    }
    let Ok(Json::Object(document)) = serde_json::from_slice::<Json>(data) else { return };
    let told = mackerel::answers::cut("hosts", data).ok();
    let told = told.map(|all| all.iter().map(|bytes| serde_json::from_slice(bytes).ok()).collect::<Vec<_>>());
    assert_eq!(told, hosts(&document).map(|all| all.into_iter().map(Some).collect()), "mackerel");
    for depth in [1, 2] {
        let told = nagios::answers::cut("hostlist", depth, data).ok();
        let told = told.map(|all| {
            let entry =
                |(keys, value): &(Vec<Vec<u8>>, Vec<u8>)| (keys.len(), serde_json::from_slice(value).ok());
            all.iter().map(entry).collect::<Vec<_>>()
        });
        let expected = entries(&document, depth);
        assert_eq!(told, expected.map(|all| all.into_iter().map(|v| (depth, Some(v))).collect()), "nagios");
    }
}

/// All elements of all lists `hosts`, unless there is none or one is no list.
fn hosts(document: &[(String, Json)]) -> Option<Vec<Value>> {
    let lists = under(document, "hosts").map(|list| match list {
        Json::Array(elements) => Some(elements),
        _ => None,
    });
    let lists: Vec<_> = lists.collect::<Option<_>>()?;
    let elements = lists.iter().flat_map(|elements| elements.iter().map(Json::value)).collect();
    (!lists.is_empty()).then_some(elements)
}

/// All entries of all `data.hostlist`, unless there is none or something on the way to one is no object.
fn entries(document: &[(String, Json)], depth: usize) -> Option<Vec<Value>> {
    let mut above: Vec<&Json> = under(document, "data").collect();
    above = objects(&above)?.into_iter().flat_map(|data| under(data, "hostlist")).collect();
    if above.is_empty() {
        return None;
    }
    for _ in 0..depth {
        above = objects(&above)?.into_iter().flatten().map(|(_, value)| value).collect();
    }
    Some(above.into_iter().map(Json::value).collect())
}

fn under<'d>(object: &'d [(String, Json)], key: &str) -> impl Iterator<Item = &'d Json> {
    object.iter().filter(move |(k, _)| k == key).map(|(_, value)| value)
}

fn objects<'d>(all: &[&'d Json]) -> Option<Vec<&'d [(String, Json)]>> {
    let object = |json: &&'d Json| match json {
        Json::Object(entries) => Some(entries.as_slice()),
        _ => None,
    };
    all.iter().map(object).collect()
}

impl Json {
    fn value(&self) -> Value {
        match self {
            Self::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), value.value())).collect()
            }
            Self::Array(elements) => elements.iter().map(Self::value).collect(),
            Self::Plain(value) => value.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = vec![];
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut elements = vec![];
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Plain(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Plain(Value::Null))
    }
}
