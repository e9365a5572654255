//! The LZF filter, h5py's `compression="lzf"`.

use hdf5_reader::error::{Error, Result};

/// Registered number of the filter.
pub(super) const FILTER_LZF: u16 = 32000;

/// Undoes LZF compression. `size` is the length of a whole chunk as the filter's parameters tell it.
///
/// The stream is a row of two kinds of instruction, told apart by their first byte `c`: below 32, copy the next `c` + 1
/// bytes; otherwise repeat (`c` >> 5) + 2 bytes of what was written, from 1 + the 13-bit distance before the end. A
/// length of 7 + 2 says that a further byte adds to it.
pub(super) fn decode(data: &[u8], size: Option<u32>) -> Result<Vec<u8>> {
    let cut = || Error::DecompressionError("LZF stream ends in the middle".into());
    // Three bytes become at most 264: what is promised beyond is not believed.
    let most = 264_usize.div_ceil(3) * data.len();
    let mut out = Vec::with_capacity(size.map_or(data.len() * 2, |n| n as usize).min(most));
    let mut input = data;
    while let Some((&first, rest)) = input.split_first() {
        input = rest;
        if first < 32 {
            let (literal, rest) = input.split_at_checked(usize::from(first) + 1).ok_or_else(cut)?;
            out.extend_from_slice(literal);
            input = rest;
        } else {
            let mut next = || {
                let (&byte, rest) = input.split_first().ok_or_else(cut)?;
                input = rest;
                Ok::<usize, Error>(usize::from(byte))
            };
            let mut n = usize::from(first >> 5);
            if n == 7 {
                n += next()?;
            }
            let distance = (usize::from(first & 31) << 8) + next()? + 1;
            let start = out
                .len()
                .checked_sub(distance)
                .ok_or_else(|| Error::DecompressionError("LZF stream points before its begin".into()))?;
            // Source and target may overlap, so bytes go one by one.
            for i in start..start + n + 2 {
                out.push(out[i]);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn literals_and_repeats_are_undone() {
        assert_eq!(decode(&[2, b'a', b'b', b'c'], None).unwrap(), b"abc");
        // "ab", then 5 bytes from distance 2.
        assert_eq!(decode(&[1, b'a', b'b', 3 << 5, 1], Some(7)).unwrap(), b"abababa");
        // A long repeat: 7 + 4 + 2 bytes from distance 1.
        assert_eq!(decode(&[0, b'x', 7 << 5, 4, 0], None).unwrap(), [b'x'; 14]);
        assert_eq!(decode(&[], None).unwrap(), b"");
    }

    #[test]
    fn no_room_is_made_for_what_cannot_come() {
        assert!(decode(&[0, b'x', 7 << 5, 255, 0], Some(u32::MAX)).unwrap().capacity() < 1000);
    }

    #[test]
    fn damaged_streams_are_errors() {
        for bad in [&[5u8, b'a'][..], &[1 << 5], &[7 << 5], &[0, b'a', 1 << 5, 9]] {
            assert!(decode(bad, None).is_err(), "{bad:?}");
        }
    }
}
