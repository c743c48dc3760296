import CTorch

// The two-dimensional Fourier transform of real pictures, scaled so that both ways keep the length of
// vectors (ATen's `fft_rfft2` and `fft_irfft2` with norm `ortho`).

extension Tensor {
  /// `[…, H, W]` to `[…, H, W / 2 + 1, 2]`: real and imaginary parts of the coefficients.
  public func rfft2() -> Tensor { make("rfft2", [self]) { ct_rfft2(handle, $0) } }

  /// `[…, H, W / 2 + 1, 2]` to `[…, H, W]`.
  public func irfft2(_ height: Int, _ width: Int) -> Tensor {
    make("irfft2", [self]) { ct_irfft2(handle, Int64(height), Int64(width), $0) }
  }
}
