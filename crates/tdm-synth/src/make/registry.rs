//! The list of generators: ours, written down one by one, and those that an application adds.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::BatchColumn;
use tdm_core::function::{BindError, Descriptor};
use tdm_core::generator::{BoundGenerator, GenerateRequest, GeneratorFunction};
use tdm_core::scalar::ColumnBuilder;
use tdm_core::types::TypeClass;

use super::bounds::Bounds;
use super::builtins::BUILTINS;
use super::{Build, Built, Draw, Maker};
use crate::stream::{Stream, TableKey};
use crate::value::{Fitter, Value, push};

/// All generators by name.
#[derive(Debug, Clone)]
pub struct Registry {
    builtins: Vec<Arc<Builtin>>,
    added: Vec<Arc<dyn GeneratorFunction>>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// The built-in generators.
    pub fn new() -> Self {
        Self {
            builtins: BUILTINS
                .iter()
                .map(|(descriptor, build)| {
                    Arc::new(Builtin {
                        descriptor: *descriptor,
                        build: *build,
                    })
                })
                .collect(),
            added: Vec::new(),
        }
    }

    /// Adds a generator; one of the same name, built-in or added before, is replaced.
    #[must_use]
    pub fn with(mut self, function: Arc<dyn GeneratorFunction>) -> Self {
        let name = function.descriptor().name;
        self.builtins.retain(|b| b.descriptor.name != name);
        self.added.retain(|f| f.descriptor().name != name);
        self.added.push(function);
        self
    }

    /// The generator called `name`.
    pub fn get(&self, name: &str) -> Option<Arc<dyn GeneratorFunction>> {
        let own = self.builtins.iter().find(|b| b.descriptor.name == name);
        match own {
            Some(own) => Some(Arc::<Builtin>::clone(own)),
            None => self.custom(name).cloned(),
        }
    }

    /// Descriptors of all generators, sorted by name.
    pub fn descriptors(&self) -> Vec<Descriptor> {
        let mut all: Vec<Descriptor> = self.builtins.iter().map(|b| b.descriptor).collect();
        all.extend(self.added.iter().map(|f| *f.descriptor()));
        all.sort_unstable_by_key(|d| d.name);
        all
    }

    pub(crate) fn builtin(&self, name: &str) -> Option<&Builtin> {
        self.builtins
            .iter()
            .find(|b| b.descriptor.name == name)
            .map(AsRef::as_ref)
    }

    pub(crate) fn custom(&self, name: &str) -> Option<&Arc<dyn GeneratorFunction>> {
        self.added.iter().find(|f| f.descriptor().name == name)
    }
}

/// A generator of ours.
#[derive(Clone)]
pub(crate) struct Builtin {
    pub(crate) descriptor: Descriptor,
    pub(crate) build: fn(&Build<'_>) -> Built,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Builtin")
            .field(&self.descriptor.name)
            .finish()
    }
}

impl Builtin {
    pub(crate) fn takes(&self, parameter: &str) -> bool {
        self.descriptor
            .parameters
            .iter()
            .any(|p| p.name == parameter)
    }

    pub(crate) fn accepts(&self, class: TypeClass) -> bool {
        self.descriptor.accepts.contains(&class)
    }
}

impl GeneratorFunction for Builtin {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn bind(&self, request: &GenerateRequest<'_>) -> Result<Box<dyn BoundGenerator>, BindError> {
        request
            .params
            .check(self.descriptor.parameters)
            .map_err(BindError::Params)?;
        let column = request.column;
        if !self.accepts(column.logical.class()) {
            return Err(BindError::Type {
                found: column.logical.clone(),
                accepts: self.descriptor.accepts.to_vec(),
            });
        }
        if !crate::value::can_encode(&column.logical, column.encoding) {
            return Err(BindError::Other(
                "the column's type cannot lie in the encoding that was asked for".to_owned(),
            ));
        }
        let key = TableKey::new(request.seed, &request.table.table);
        // A generator bound by itself brings no registry of the application: templates see ours.
        let registry = Registry::new();
        let maker = (self.build)(&Build {
            params: request.params,
            column,
            key,
            bounds: &Bounds::default(),
            resources: request.resources,
            registry: &registry,
            depth: 0,
        })?;
        Ok(Box::new(BoundMaker {
            maker,
            stream: key.stream(&column.name),
            fitter: Fitter::new(column.logical.clone()),
            output: column.clone(),
        }))
    }
}

/// A built-in generator bound to one column.
#[derive(Debug)]
struct BoundMaker {
    maker: Box<dyn Maker>,
    stream: Stream,
    fitter: Fitter,
    output: BatchColumn,
}

impl BoundGenerator for BoundMaker {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn generate(&self, rows: Range<u64>) -> Result<ArrayRef, &'static str> {
        let count = usize::try_from(rows.end.saturating_sub(rows.start))
            .map_err(|_| "too many rows at once")?;
        let mut builder = ColumnBuilder::new(self.output.encoding, count);
        let (mut value, mut scratch) = (Value::Null, String::new());
        for row in rows {
            self.maker
                .make(&mut Draw::new(&self.stream, row, 0), &mut value);
            self.fitter.fit(&mut value)?;
            push(&mut builder, self.output.encoding, &value, &mut scratch)?;
        }
        Ok(builder.finish())
    }
}
