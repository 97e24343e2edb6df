//! The same, each of which may be NULL.

use sea_orm::entity::prelude::*;

use super::enums::Mood;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "nullable_lists")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub smalls: Option<Vec<i16>>,
    pub ints: Option<Vec<i32>>,
    pub bigs: Option<Vec<i64>>,
    pub reals: Option<Vec<f32>>,
    pub doubles: Option<Vec<f64>>,
    pub decimals: Option<Vec<Decimal>>,
    pub booleans: Option<Vec<bool>>,
    pub strings: Option<Vec<String>>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Text))", nullable)]
    pub texts: Option<Vec<String>>,
    pub uuids: Option<Vec<Uuid>>,
    pub dates: Option<Vec<Date>>,
    pub times: Option<Vec<Time>>,
    pub date_times: Option<Vec<DateTime>>,
    pub timestamps: Option<Vec<DateTimeWithTimeZone>>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::JsonBinary))", nullable)]
    pub jsons: Option<Vec<Json>>,
    pub moods: Option<Vec<Mood>>,
    #[sea_orm(
        column_type = "Array(RcOrArc::new(ColumnType::Array(RcOrArc::new(ColumnType::Integer))))",
        nullable
    )]
    pub grid: Option<Vec<i32>>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Inet))", nullable)]
    pub inets: Option<Vec<IpNetwork>>,
}

impl ActiveModelBehavior for ActiveModel {}
