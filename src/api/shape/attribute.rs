//! The shape of DynamoDB's attribute values, which have themselves inside.

use super::{Kind, Member, Shape, Span};

/// An attribute value: one of ten types.
pub static ATTRIBUTE_VALUE: Shape = Shape::of("AttributeValue", Kind::Structure(&MEMBERS), Span::ANY);

static MEMBERS: [Member; 10] = [
    Member::optional("S", &TEXT),
    Member::optional("N", &TEXT),
    Member::optional("B", &BYTES),
    Member::optional("SS", &TEXTS),
    Member::optional("NS", &TEXTS),
    Member::optional("BS", &BYTE_LIST),
    Member::optional("M", &MAP),
    Member::optional("L", &LIST),
    Member::optional("NULL", &FLAG),
    Member::optional("BOOL", &FLAG),
];
static TEXT: Shape = Shape::of("StringAttributeValue", Kind::Text(None), Span::ANY);
static BYTES: Shape = Shape::of("BinaryAttributeValue", Kind::Blob, Span::ANY);
static FLAG: Shape = Shape::of("BooleanAttributeValue", Kind::Boolean, Span::ANY);
static TEXTS: Shape = Shape::of("StringSetAttributeValue", Kind::List(&TEXT), Span::ANY);
static BYTE_LIST: Shape = Shape::of("BinarySetAttributeValue", Kind::List(&BYTES), Span::ANY);
static LIST: Shape = Shape::of("ListAttributeValue", Kind::List(&ATTRIBUTE_VALUE), Span::ANY);
static MAP: Shape = Shape::of("MapAttributeValue", Kind::Map(&TEXT, &ATTRIBUTE_VALUE), Span::ANY);
