//! Numbers in the type they are stored in, and their conversion.

use hdf5_reader::{ByteOrder, Dataset, Datatype, SliceInfo, SliceInfoElem};

use super::H5;
use crate::error::Result;

/// A run of numbers in their stored type.
pub(super) enum Numbers {
    I8(Vec<i8>),
    U8(Vec<u8>),
    I16(Vec<i16>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Does the same with the values of every type.
macro_rules! each {
    ($numbers:expr, $values:ident => $body:expr) => {
        match $numbers {
            Numbers::I8($values) => $body,
            Numbers::U8($values) => $body,
            Numbers::I16($values) => $body,
            Numbers::U16($values) => $body,
            Numbers::I32($values) => $body,
            Numbers::U32($values) => $body,
            Numbers::I64($values) => $body,
            Numbers::U64($values) => $body,
            Numbers::F32($values) => $body,
            Numbers::F64($values) => $body,
        }
    };
}

/// A number as a count: a value of 32 bits, and whether nothing was lost.
trait Number: Copy {
    fn count(self) -> (u32, bool);
    fn unsigned(self) -> Option<u64>;
    fn float(self) -> f64;
    fn text(self) -> String;
}

macro_rules! integer {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            #[inline]
            fn count(self) -> (u32, bool) {
                (self as u32, u32::try_from(self).is_ok())
            }
            fn unsigned(self) -> Option<u64> {
                u64::try_from(self).ok()
            }
            fn float(self) -> f64 {
                self as f64
            }
            fn text(self) -> String {
                self.to_string()
            }
        }
    )*};
}
integer!(i8, u8, i16, u16, i32, u32, i64, u64);

macro_rules! float {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            #[inline]
            fn count(self) -> (u32, bool) {
                // The cast saturates, so that fractions, negatives, NaN and what is too large differ afterwards.
                let count = self as u32;
                (count, f64::from(count) == f64::from(self))
            }
            fn unsigned(self) -> Option<u64> {
                (self >= 0.0 && self.fract() == 0.0 && self < 9e15).then_some(self as u64)
            }
            fn float(self) -> f64 {
                f64::from(self)
            }
            fn text(self) -> String {
                if self.is_nan() { String::new() } else { self.to_string() }
            }
        }
    )*};
}
float!(f32, f64);

impl Numbers {
    /// All numbers of a data set.
    pub(super) fn read(h5: &H5, key: &str) -> Result<Self> {
        let dataset = h5.dataset(key)?;
        let ranges: Vec<(u64, u64)> = dataset.shape().iter().map(|&n| (0, n)).collect();
        Self::read_part(h5, key, &dataset, &ranges)
    }

    /// The numbers of a block (begin and end along each dimension), row by row. Chunks are inflated in parallel.
    pub(super) fn read_part(h5: &H5, key: &str, dataset: &Dataset, ranges: &[(u64, u64)]) -> Result<Self> {
        use Datatype::{FixedPoint, FloatingPoint};
        let slice = SliceInfo {
            selections: ranges.iter().map(|&(start, end)| SliceInfoElem::Slice { start, end, step: 1 }).collect(),
        };
        let empty = ranges.iter().any(|(start, end)| start == end);
        macro_rules! read {
            ($variant:ident) => {{
                if empty {
                    return Ok(Self::$variant(Vec::new()));
                }
                let values = dataset.read_slice_parallel(&slice).map_err(|e| h5.failed(key, e))?;
                Ok(Self::$variant(values.into_raw_vec_and_offset().0))
            }};
        }
        match dataset.dtype() {
            FixedPoint { size: 1, signed: true, .. } => read!(I8),
            FixedPoint { size: 1, signed: false, .. } => read!(U8),
            FixedPoint { size: 2, signed: true, .. } => read!(I16),
            FixedPoint { size: 2, signed: false, .. } => read!(U16),
            FixedPoint { size: 4, signed: true, .. } => read!(I32),
            FixedPoint { size: 4, signed: false, .. } => read!(U32),
            FixedPoint { size: 8, signed: true, .. } => read!(I64),
            FixedPoint { size: 8, signed: false, .. } => read!(U64),
            FloatingPoint { size: 4, .. } => read!(F32),
            FloatingPoint { size: 8, .. } => read!(F64),
            FloatingPoint { size: 2, .. } => {
                Err(h5.error(key, "numbers of half precision (float16) lose counts; write the file anew with float32"))
            }
            _ => Err(h5.error(key, "holds no numbers (or only yes and no); counts must be whole numbers")),
        }
    }

    /// Numbers from bytes as they are stored; `None` if the type is no number.
    pub(super) fn decode(dtype: &Datatype, bytes: &[u8]) -> Option<Self> {
        use Datatype::{Enum, FixedPoint, FloatingPoint};
        macro_rules! numbers {
            ($variant:ident, $kind:ty, $order:expr) => {{
                let whole =
                    bytes.chunks_exact(size_of::<$kind>()).map(|b| b.try_into().expect("chunks have this size"));
                Some(Self::$variant(match $order {
                    ByteOrder::LittleEndian => whole.map(<$kind>::from_le_bytes).collect(),
                    ByteOrder::BigEndian => whole.map(<$kind>::from_be_bytes).collect(),
                }))
            }};
        }
        match dtype {
            FixedPoint { size: 1, signed: true, byte_order } => numbers!(I8, i8, byte_order),
            FixedPoint { size: 1, signed: false, byte_order } => numbers!(U8, u8, byte_order),
            FixedPoint { size: 2, signed: true, byte_order } => numbers!(I16, i16, byte_order),
            FixedPoint { size: 2, signed: false, byte_order } => numbers!(U16, u16, byte_order),
            FixedPoint { size: 4, signed: true, byte_order } => numbers!(I32, i32, byte_order),
            FixedPoint { size: 4, signed: false, byte_order } => numbers!(U32, u32, byte_order),
            FixedPoint { size: 8, signed: true, byte_order } => numbers!(I64, i64, byte_order),
            FixedPoint { size: 8, signed: false, byte_order } => numbers!(U64, u64, byte_order),
            FloatingPoint { size: 4, byte_order } => numbers!(F32, f32, byte_order),
            FloatingPoint { size: 8, byte_order } => numbers!(F64, f64, byte_order),
            Enum { base, .. } => Self::decode(base, bytes),
            _ => None,
        }
    }

    /// Values as counts; the position of the first that is none (negative, broken, NaN, beyond 32 bits) otherwise.
    pub(super) fn to_u32(&self, out: &mut Vec<u32>) -> std::result::Result<(), usize> {
        out.clear();
        each!(self, values => {
            let mut all = true;
            out.extend(values.iter().map(|v| {
                let (count, exact) = v.count();
                all &= exact;
                count
            }));
            if all { Ok(()) } else { Err(values.iter().position(|v| !v.count().1).unwrap_or(0)) }
        })
    }

    /// Values as whole numbers from 0; the text of the first that is none otherwise.
    pub(super) fn to_u64(&self) -> std::result::Result<Vec<u64>, String> {
        each!(self, values => values.iter().map(|v| v.unsigned().ok_or_else(|| v.text())).collect())
    }

    /// Values as codes; negative ones mean missing.
    pub(super) fn to_codes(&self) -> Vec<Option<u32>> {
        each!(self, values => values.iter().map(|v| v.unsigned().and_then(|v| u32::try_from(v).ok())).collect())
    }

    /// Values as text with the fewest digits that tell them apart; NaN is empty.
    pub(super) fn to_text(&self) -> Vec<String> {
        each!(self, values => values.iter().map(|v| v.text()).collect())
    }

    /// One value.
    pub(super) fn get(&self, index: usize) -> f64 {
        each!(self, values => values[index].float())
    }

    /// Calls `f` with every value.
    pub(super) fn for_each(&self, mut f: impl FnMut(f64)) {
        each!(self, values => values.iter().for_each(|v| f(v.float())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(numbers: &Numbers) -> std::result::Result<Vec<u32>, usize> {
        let mut out = Vec::new();
        numbers.to_u32(&mut out).map(|()| out)
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(counts(&Numbers::F32(vec![0.0, -0.0, 3.0, 16_777_216.0])), Ok(vec![0, 0, 3, 16_777_216]));
        assert_eq!(counts(&Numbers::F64(vec![4_294_967_295.0, 1.0])), Ok(vec![u32::MAX, 1]));
        assert_eq!(counts(&Numbers::I64(vec![7, 0])), Ok(vec![7, 0]));
        assert_eq!(counts(&Numbers::F32(vec![1.0, 0.5])), Err(1));
        assert_eq!(counts(&Numbers::F64(vec![f64::NAN])), Err(0));
        assert_eq!(counts(&Numbers::F64(vec![2.0, 4_294_967_296.0])), Err(1));
        assert_eq!(counts(&Numbers::F32(vec![f32::INFINITY])), Err(0));
        assert_eq!(counts(&Numbers::I8(vec![1, -1])), Err(1));
        assert_eq!(counts(&Numbers::U64(vec![1 << 32])), Err(0));
    }

    #[test]
    fn stored_bytes_become_numbers_of_either_byte_order() {
        let dtype = Datatype::FixedPoint { size: 2, signed: true, byte_order: ByteOrder::BigEndian };
        assert_eq!(Numbers::decode(&dtype, &[0, 1, 0xff, 0xfe]).unwrap().to_text(), ["1", "-2"]);
        let dtype = Datatype::FloatingPoint { size: 4, byte_order: ByteOrder::LittleEndian };
        assert_eq!(Numbers::decode(&dtype, &0.1f32.to_le_bytes()).unwrap().to_text(), ["0.1"]);
        assert_eq!(Numbers::I8(vec![-1, 2]).to_codes(), [None, Some(2)]);
    }
}
