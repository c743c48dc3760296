import Foundation

/// Memory of this process and of its machine, in bytes; nil where the system does not tell.
public enum Memory {
  /// What programs can still take.
  public static var free: Int? { bytes(of: "MemAvailable", in: "/proc/meminfo") }

  /// The most that this process has held since ``forgetPeak()``.
  public static var peak: Int? { bytes(of: "VmHWM", in: "/proc/self/status") }

  /// From now on the peak is what comes.
  public static func forgetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
  }

  private static func bytes(of name: String, in file: String) -> Int? {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
    return bytes(of: name, in: Substring(text))
  }

  /// The value of a line such as `MemAvailable:   1024 kB`.
  static func bytes(of name: String, in text: Substring) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap {
      Int($0)
    }
    guard let (bytes, overflows) = kilobytes?.multipliedReportingOverflow(by: 1_024) else {
      return nil
    }
    return overflows ? nil : bytes
  }
}
