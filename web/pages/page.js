const health = document.getElementById('health');

async function ask() {
  try {
    const response = await fetch('/readyz');
    const problem = response.ok ? undefined : await response.json();
    health.dataset.state = response.ok ? 'good' : 'bad';
    health.textContent = response.ok ? 'The server and its database answer.' : problem.detail;
  } catch {
    health.dataset.state = 'bad';
    health.textContent = 'The server does not answer.';
  }
}

ask();
setInterval(ask, 10_000);
