import Foundation

/// An error in one sentence for people; errors of the system in the system's words with the file's name.
package func sentence(_ error: any Error) -> String {
  if let error = error as? POSIXError {
    return String(cString: strerror(error.code.rawValue)) + "."
  }
  guard let error = error as? CocoaError else { return Console.tidied("\(error)") }
  let isWriting = error.code.rawValue >= CocoaError.fileWriteUnknown.rawValue
  // Of a copy it is the place that is wanted that cannot be written.
  let target = isWriting ? error.userInfo["NSDestinationFilePath"] as? String : nil
  let name = target ?? error.filePath ?? error.url?.path
  let action = isWriting ? "write" : "read"
  return "Cannot \(action) \(name ?? "a file"): \(reason(error))."
}

/// Why the system failed, without a final stop.
private func reason(_ error: CocoaError) -> String {
  if let cause = error.underlying as? POSIXError {
    return String(cString: strerror(cause.code.rawValue))
  }
  let codes: [CocoaError.Code: Int32] = [
    .fileWriteOutOfSpace: ENOSPC, .fileNoSuchFile: ENOENT, .fileReadNoSuchFile: ENOENT,
    .fileReadNoPermission: EACCES, .fileWriteNoPermission: EACCES,
    .fileWriteVolumeReadOnly: EROFS, .fileWriteFileExists: EEXIST,
  ]
  if let code = codes[error.code] { return String(cString: strerror(code)) }
  let text = error.localizedDescription
  return text.hasSuffix(".") ? String(text.dropLast()) : text
}
