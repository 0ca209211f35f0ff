//! The masking function: describe it, bind it early, run it on one cell.

use tdm::core::function::{
    BindError, BindRequest, BoundMask, Descriptor, Lift, MaskingFunction, Promise, ScalarMask,
};
use tdm::core::keyring::DomainKey;
use tdm::core::scalar::ScalarRef;
use tdm::core::types::TypeClass;

/// Another loyalty number, the same one each time. All it needs comes with `bind`.
#[derive(Debug)]
pub(crate) struct Loyalty;

/// Two inputs may meet in one of a million outputs, so `injective` is not promised.
const PROMISE: Promise = Promise {
    length_max: Some(9),
    ..Promise::KEYED
};

static DESCRIPTOR: Descriptor = Descriptor {
    name: "loyalty_number",
    summary: "Another loyalty number of the form LN-999999.",
    parameters: &[],
    accepts: &[TypeClass::Text],
    promise: PROMISE,
    weakness: "Two customers may get one number; not fit for unique columns.",
};

impl MaskingFunction for Loyalty {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    fn bind(&self, request: &BindRequest<'_>) -> Result<Box<dyn BoundMask>, BindError> {
        // Everything that can go wrong goes wrong here, where no row has been read.
        let found = &request.column.logical;
        if found.class() != TypeClass::Text {
            return Err(BindError::Type {
                found: found.clone(),
                accepts: DESCRIPTOR.accepts.to_vec(),
            });
        }
        let key = request.keyring.domain_key(request.domain);
        let number = Number(key.subkey(DESCRIPTOR.name));
        // `Lift` runs the function over columns and keeps NULL.
        Ok(Box::new(Lift::new(number, request.column.clone(), PROMISE)))
    }
}

/// The function on one cell.
#[derive(Debug)]
struct Number(DomainKey);

impl ScalarMask for Number {
    fn mask(
        &self,
        input: ScalarRef<'_>,
        _row: u64,
        emit: &mut dyn FnMut(ScalarRef<'_>),
    ) -> Result<(), &'static str> {
        let ScalarRef::Text(text) = input else {
            return Err("is not a text");
        };
        // Derived from key and value, never drawn at random: every table and every run gets the same number.
        let number = self.0.draws(text.as_bytes()).below(1_000_000);
        emit(ScalarRef::Text(&format!("LN-{number:06}")));
        Ok(())
    }
}
