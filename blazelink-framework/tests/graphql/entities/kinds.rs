//! One column of each type that is read or printed in a way of its own. Models of it are never
//! read: the entity only says what the columns are.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "kinds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub c_int2: Option<i16>,
    pub c_int8: Option<i64>,
    pub c_float4: Option<f32>,
    pub c_float8: Option<f64>,
    pub c_numeric: Option<Decimal>,
    #[sea_orm(column_type = "Money(None)", nullable)]
    pub c_money: Option<Decimal>,
    pub c_bool: Option<bool>,
    #[sea_orm(column_type = "Text", nullable)]
    pub c_text: Option<String>,
    pub c_varchar: Option<String>,
    #[sea_orm(column_type = "Char(Some(5))", nullable)]
    pub c_char: Option<String>,
    #[sea_orm(column_type = "custom(\"citext\")", nullable)]
    pub c_citext: Option<String>,
    #[sea_orm(column_type = "custom(\"mood\")", nullable)]
    pub c_mood: Option<String>,
    /// A domain over `int4`.
    pub c_domain: Option<i32>,
    pub c_uuid: Option<Uuid>,
    pub c_date: Option<Date>,
    pub c_time: Option<Time>,
    #[sea_orm(column_type = "custom(\"timetz\")", nullable)]
    pub c_timetz: Option<String>,
    pub c_timestamp: Option<DateTime>,
    pub c_timestamptz: Option<DateTimeWithTimeZone>,
    pub c_interval: Option<String>,
    #[sea_orm(column_type = "Json", nullable)]
    pub c_json: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub c_jsonb: Option<Json>,
    pub c_bytea: Option<Vec<u8>>,
    #[sea_orm(column_type = "Inet", nullable)]
    pub c_inet: Option<String>,
    #[sea_orm(column_type = "Cidr", nullable)]
    pub c_cidr: Option<String>,
    #[sea_orm(column_type = "custom(\"point\")", nullable)]
    pub c_point: Option<String>,
    #[sea_orm(column_type = "custom(\"int4range\")", nullable)]
    pub c_range: Option<String>,
    #[sea_orm(column_type = "custom(\"bit\")", nullable)]
    pub c_bit: Option<String>,
    pub c_ints: Option<Vec<i32>>,
    pub c_texts: Option<Vec<String>>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Boolean))", nullable)]
    pub c_bools: Option<Vec<bool>>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::JsonBinary))", nullable)]
    pub c_jsons: Option<Vec<Json>>,
    #[sea_orm(
        column_type = "Array(RcOrArc::new(ColumnType::custom(\"mood\")))",
        nullable
    )]
    pub c_moods: Option<Vec<String>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
