//! `readers` against others.

use cqa::data::{LotSheet, LotSource};
use cqa::io::ReadParams;
use cqa::io::join::read_lots;
use cqa::progress::Silent;

use crate::common::shared_data;

#[test]
fn soupx_opens() {
    let Some(folder) = shared_data("soupx/pbmc_mtx") else { return };
    let sheet = LotSheet { lots: vec![LotSource { lot: "a".into(), path: folder, subset: None }], columns: vec![] };
    let read = read_lots(&sheet, &ReadParams::default(), &Silent).unwrap();
    assert_eq!((read.dataset.n_cells(), read.dataset.n_genes()), (2170, 33694));
}
