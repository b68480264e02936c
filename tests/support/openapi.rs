//! openapi.yaml as the tests read it, and whether an answer is one that it describes.

mod answer;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use claviger::domain::cidr::Cidrs;
use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

pub use answer::check;

const URI: &str = "urn:openapi";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

static ROOT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../openapi.yaml");
    serde_saphyr::from_str(text).expect("openapi.yaml is YAML")
});

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().draft(Draft::Draft202012).add(URI, &*ROOT).expect("a URI");
    registry.prepare().expect("references that lead somewhere")
});

/// A place in the document.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it is (RFC 6901).
    pub pointer: String,
    pub value: &'static Value,
}

/// A method of a path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: &'static str,
    pub place: Place,
    pub parameters: Vec<Place>,
}

/// The whole document.
pub fn document() -> Place {
    Place { pointer: String::new(), value: &ROOT }
}

/// Every operation, in the order of the document's paths.
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        document().at("paths").members().flat_map(|(path, item)| operations_of(path, &item)).collect()
    });
    &OPERATIONS
}

fn operations_of(path: &'static str, item: &Place) -> Vec<Operation> {
    let shared: Vec<Place> = item.get("parameters").into_iter().flat_map(|list| list.items()).collect();
    let operation = |method: &&str| {
        let place = item.get(method)?;
        let own = place.get("parameters").into_iter().flat_map(|list| list.items());
        let parameters = shared.iter().cloned().chain(own).collect();
        Some(Operation { method: method.to_uppercase(), path, place, parameters })
    };
    METHODS.iter().filter_map(operation).collect()
}

impl Operation {
    /// `GET /v1/self`
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A member of its description.
    pub fn text(&self, name: &str) -> Option<&'static str> {
        self.place.value[name].as_str()
    }

    /// Whether it is described by one method, and takes every other one just as well.
    pub fn takes_any_method(&self) -> bool {
        self.place.value["x-any-method"] == true
    }

    /// The body that it takes, if it takes one.
    pub fn body(&self) -> Option<Place> {
        let (_, content) = self.place.get("requestBody")?.at("content").members().next()?;
        Some(content)
    }
}

impl Place {
    /// A member, a reference being followed.
    pub fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?;
        let pointer = format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"));
        Some(Self { pointer, value }.followed())
    }

    /// A member that is there.
    pub fn at(&self, name: &str) -> Self {
        self.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.pointer))
    }

    /// The members of an object.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, Self)> + use<> {
        let place = self.clone();
        let names = self.value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        names.map(move |name| (name, place.at(name)))
    }

    /// The items of an array.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<> {
        let pointer = self.pointer.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(at, value)| Self { pointer: format!("{pointer}/{at}"), value }.followed())
    }

    /// What is wrong with a value by the schema that is here; nothing if nothing is.
    pub fn faults(&self, instance: &Value) -> Vec<String> {
        let fault = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        self.validator().iter_errors(instance).map(fault).collect()
    }

    fn validator(&self) -> Arc<Validator> {
        static VALIDATORS: Mutex<Option<HashMap<String, Arc<Validator>>>> = Mutex::new(None);
        let mut validators = VALIDATORS.lock().unwrap_or_else(|broken| broken.into_inner());
        let known = validators.get_or_insert_default().entry(self.pointer.clone());
        Arc::clone(known.or_insert_with(|| Arc::new(self.compile())))
    }

    fn compile(&self) -> Validator {
        let fragment = self.pointer.replace('{', "%7B").replace('}', "%7D");
        jsonschema::options()
            .with_registry(&REGISTRY)
            .should_validate_formats(true)
            .with_format("cidr", |text: &str| Cidrs::parse([text]).is_ok())
            .build(&json!({ "$ref": format!("{URI}#{fragment}") }))
            .unwrap_or_else(|error| panic!("{} is no schema: {error}", self.pointer))
    }

    fn followed(self) -> Self {
        let Some(pointer) = self.value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'))
        else {
            return self;
        };
        let value = ROOT.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere"));
        Self { pointer: pointer.to_owned(), value }
    }
}
