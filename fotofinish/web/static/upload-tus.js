// One file to this server by tus, which goes on where the file stopped.

const RETRIES = [0, 1000, 3000, 5000, 10000, 20000];

export function begunByTus(mark) {
  return kept(mark).length;
}

export function forgetByTus(mark) {
  kept(`${mark}::`).forEach((key) => localStorage.removeItem(key));
}

function kept(mark) {
  return Object.keys(localStorage).filter((key) => key.startsWith(`tus::${mark}`));
}

export function sendByTus({ file, path }, target, { away, progress, done, failed }) {
  let result = "";
  let reason = "";
  let stopped = false;
  const upload = new tus.Upload(file, {
    endpoint: target.uploads,
    retryDelays: RETRIES,
    headers: { "X-Form-Token": target.token },
    metadata: { filename: file.name, path },
    fingerprint: async () => target.mark(file, path),
    removeFingerprintOnSuccess: true,
    onAfterResponse: (request, response) => {
      result = response.getHeader("Upload-Result") || result;
      reason = decodeURIComponent(response.getHeader("Upload-Reason") || "");
    },
    onShouldRetry: (error) => {
      const status = statusOf(error);
      if (status === 0) away();
      return navigator.onLine && (status === 0 || status === 409 || status === 423 || (status >= 500 && status !== 507));
    },
    onProgress: progress,
    onSuccess: () => done(result, reason),
    onError: (error) => failed(statusOf(error), told(error)),
  });
  upload.findPreviousUploads().then((earlier) => {
    if (earlier.length) upload.resumeFromPreviousUpload(earlier[0]);
    if (!stopped) upload.start();
  });
  return {
    abort() {
      stopped = true;
      upload.abort();
    },
  };
}

function statusOf(error) {
  return error.originalResponse?.getStatus() ?? 0;
}

function told(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).message;
  } catch {
    return "";
  }
}
