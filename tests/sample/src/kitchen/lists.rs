//! Arrays of the types that SeaORM has arrays of.

use sea_orm::entity::prelude::*;

use super::enums::Mood;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "lists")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub smalls: Vec<i16>,
    pub ints: Vec<i32>,
    pub bigs: Vec<i64>,
    pub reals: Vec<f32>,
    pub doubles: Vec<f64>,
    pub decimals: Vec<Decimal>,
    pub booleans: Vec<bool>,
    pub strings: Vec<String>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Text))")]
    pub texts: Vec<String>,
    pub uuids: Vec<Uuid>,
    pub dates: Vec<Date>,
    pub times: Vec<Time>,
    pub date_times: Vec<DateTime>,
    pub timestamps: Vec<DateTimeWithTimeZone>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::JsonBinary))")]
    pub jsons: Vec<Json>,
    pub moods: Vec<Mood>,
    #[sea_orm(
        column_type = "Array(RcOrArc::new(ColumnType::Array(RcOrArc::new(ColumnType::Integer))))"
    )]
    pub grid: Vec<i32>,
    #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Inet))")]
    pub inets: Vec<IpNetwork>,
}

impl ActiveModelBehavior for ActiveModel {}
