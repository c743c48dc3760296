import Foundation

/// Files that users name. They are asked what they are before they are opened: a named pipe would be waited
/// for, and a device may have no end.
public enum RegularFile {
  /// Opens a file for reading.
  /// - Returns: the descriptor, which the caller closes, and the file's size in bytes.
  /// - Throws: `WeightsError.file` when it is none, or cannot be opened.
  static func open(_ path: String) throws(WeightsError) -> (descriptor: Int32, size: Int) {
    func failure(_ doing: String) -> WeightsError {
      .file(path: path, reason: "cannot \(doing) (\(String(cString: strerror(errno))))")
    }
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure("open the file") }
    if let problem = problem(status) { throw .file(path: path, reason: problem) }
    // What lies there may have been replaced meanwhile.
    let descriptor = Foundation.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open the file") }
    guard fstat(descriptor, &status) == 0, problem(status) == nil else {
      close(descriptor)
      throw .file(path: path, reason: "it is not a regular file")
    }
    return (descriptor, Int(status.st_size))
  }

  /// The whole of a file.
  /// - Parameter limit: the most bytes that such a file may have.
  /// - Throws: `WeightsError.file` when it is none, cannot be read or is larger.
  public static func data(at url: URL, limit: Int = 64 << 20) throws(WeightsError) -> Data {
    let (descriptor, size) = try open(url.path)
    defer { close(descriptor) }
    guard size <= limit else {
      throw .file(path: url.path, reason: "it has \(size) bytes; at most \(limit) are read")
    }
    do {
      let handle = FileHandle(fileDescriptor: descriptor)
      let data = try handle.read(upToCount: limit + 1) ?? Data()
      guard data.count <= limit else {
        throw WeightsError.file(path: url.path, reason: "at most \(limit) bytes are read")
      }
      return data
    } catch let error as WeightsError {
      throw error
    } catch {
      throw .file(path: url.path, reason: "cannot read the file (\(error.localizedDescription))")
    }
  }

  /// The whole of a file as text.
  /// - Throws: as ``data(at:limit:)``; also when it is not UTF-8.
  public static func text(at url: URL, limit: Int = 4 << 20) throws(WeightsError) -> String {
    guard let text = String(validating: try data(at: url, limit: limit), as: UTF8.self) else {
      throw .file(path: url.path, reason: "it is not text in UTF-8")
    }
    return text
  }

  private static func problem(_ status: stat) -> String? {
    switch status.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "it is a folder"
    default: "it is not a regular file"
    }
  }
}
